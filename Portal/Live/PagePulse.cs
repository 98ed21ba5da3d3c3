using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Live;

/// <summary>Whether the database answers, and which version of the page it holds: asked every few seconds, so that a lost notification delays but never loses a change.</summary>
public sealed class PagePulse(Database database, ChangeFeed feed, TimeProvider clock, PortalOptions options, ILogger<PagePulse> log) : BackgroundService
{
    /// <summary>Told when the contact is lost and when it is back.</summary>
    public const string Topic = "pulse";

    readonly TimeSpan interval = options.Timing.Follow;
    readonly DatabaseContact contact = new("The status page, served as it was last read,", clock, log);
    Beat? last;

    /// <summary>The last answer; null before the first one.</summary>
    public Beat? Last => Volatile.Read(ref last);

    /// <summary>True from the first failure until the next answer.</summary>
    public bool IsLost { get; private set; } = true;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Ask(stoppingToken);
            await Task.Delay(interval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task Ask(CancellationToken ct)
    {
        if (!database.IsOpen) return;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        try
        {
            patience.CancelAfter(TimeSpan.FromSeconds(5));
            await using var db = database.CreateDbContext();
            var asked = clock.GetUtcNow();
            var version = await db.PageVersions.Select(p => p.Version).SingleAsync(patience.Token);
            var (before, wasLost) = (Last, IsLost);
            (last, IsLost) = (new Beat(version, asked), false);
            contact.Found();
            if (before?.Version != version || wasLost) feed.Publish("page");
            if (wasLost) feed.Publish(Topic);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or InvalidOperationException or TimeoutException or DatabaseAwayException)
        {
            contact.Lost(e);
            if (IsLost) return;
            IsLost = true;
            feed.Publish(Topic);
        }
    }

    public sealed record Beat(long Version, DateTimeOffset At);
}
