using Portal.Infrastructure;
using Portal.Infrastructure.Postgres;

namespace Portal.Hosting;

/// <summary>Starts the private server again when it ends without being asked to, and stops it when everything else has stopped.</summary>
public sealed class PostgresSupervision(
    DatabaseOpening opening, EmbeddedPostgres postgres, PortalOptions options, TimeProvider clock, ILogger<PostgresSupervision> log) : BackgroundService, IHostedLifecycleService
{
    static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1), Healthy = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!opening.IsEmbedded) return;
        await postgres.Started.WaitAsync(stoppingToken);
        var wait = options.Timing.PostgresRestart;
        while (!stoppingToken.IsCancellationRequested)
        {
            var since = clock.GetTimestamp();
            await postgres.WaitForEnd(stoppingToken);
            if (clock.GetElapsedTime(since) > Healthy) wait = options.Timing.PostgresRestart;
            log.LogError("PostgreSQL ended unexpectedly; starting it again in {Seconds:0.#} s", wait.TotalSeconds);
            await Task.Delay(wait, clock, stoppingToken);
            if (!await Restart(stoppingToken)) wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    async Task<bool> Restart(CancellationToken ct)
    {
        try
        {
            await opening.Reopen(ct);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A full disk or a missing file may be mended while we run: say so and try again.
            if (e is CannotStartException or IOException) log.LogError("PostgreSQL could not be started again: {Reason}", e.Message);
            else log.LogError(e, "PostgreSQL could not be started again");
            return false;
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>All others have stopped: nobody needs it any more.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => opening.IsEmbedded ? postgres.Stop() : Task.CompletedTask;
}
