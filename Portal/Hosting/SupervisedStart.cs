using Npgsql;
using Portal.Components;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;

namespace Portal.Hosting;

/// <summary>Everything that needs the database begins here, once the portal listens, and is tried until it succeeds.</summary>
public sealed class SupervisedStart(
    DatabaseOpening opening, Database database, IEnumerable<IStartupStep> steps, StartupState state, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<SupervisedStart> log) : BackgroundService
{
    static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500), LongestWait = TimeSpan.FromSeconds(15);

    /// <summary>Held while the steps run, so that two nodes do not both plant the same seed.</summary>
    const long StepsLock = 0x706F7274616D;

    bool opened;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await lifetime.HasStarted(stoppingToken);
        for (var wait = FirstWait; !stoppingToken.IsCancellationRequested; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            if (await Try(stoppingToken)) return;
            await Task.Delay(wait, clock, stoppingToken);
        }
    }

    async Task<bool> Try(CancellationToken ct)
    {
        try
        {
            if (!opened) await opening.Open(ct);
            opened = true;
            await RunSteps(ct);
            state.MarkPrepared();
            log.LogInformation("The database is open");
            return true;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { return true; }
        catch (CannotStartException e)
        {
            log.LogCritical("{Reason}", e.Message);
            state.GiveUp(e.Message);
            lifetime.StopApplication();
            return true;
        }
        catch (Exception e) when (Refusal.IsDatabaseAway(e) || e is IOException)
        {
            state.WaitingFor = $"The database cannot be reached: {Words(e)}";
            log.LogWarning("{WaitingFor}; trying again", state.WaitingFor);
            return false;
        }
        catch (Exception e)
        {
            state.WaitingFor = "The start failed; the log says why";
            log.LogError(e, "The start failed; trying again");
            return false;
        }
    }

    async Task RunSteps(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using (var command = new NpgsqlCommand($"select pg_advisory_lock({StepsLock})", connection) { CommandTimeout = 600 })
            await command.ExecuteNonQueryAsync(ct);
        try
        {
            foreach (var step in steps.OrderBy(s => s.Order)) await step.Run(ct);
        }
        finally
        {
            await using var command = new NpgsqlCommand("select pg_advisory_unlock_all()", connection);
            if (connection.State == System.Data.ConnectionState.Open) await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    static string Words(Exception e) => e is NpgsqlException { InnerException: { } inner } ? $"{e.Message} ({inner.Message})" : e.Message;
}
