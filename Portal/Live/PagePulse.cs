using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Live;

/// <summary>Whether the database answers, and which version of the page it holds: asked every few seconds, so that a lost notification delays but never loses a change.</summary>
/// <remarks>Where something was committed of which nobody told this node, by PostgreSQL or by the bus, all that watch here look again.</remarks>
public sealed class PagePulse(Database database, ChangeFeed feed, TimeProvider clock, PortalOptions options, ILogger<PagePulse> log) : BackgroundService
{
    /// <summary>Told when the contact is lost and when it is back.</summary>
    public const string Topic = "pulse";

    /// <summary>A row is read in milliseconds; who has waited this long is told. The driver itself gives up a hung server only much later.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    readonly TimeSpan interval = options.Timing.Follow;
    readonly DatabaseContact contact = new("The status page, served as it was last read,", clock, log);
    Beat? last;
    long announcements;

    /// <summary>The last answer; null before the first one.</summary>
    public Beat? Last => Volatile.Read(ref last);

    /// <summary>True until the first answer, and from each failure until the next one.</summary>
    public bool IsLost { get; private set; } = true;

    /// <summary>Asked and not answered; unlike <see cref="IsLost"/> not before the first question.</summary>
    public bool IsFailing { get; private set; }

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
        try
        {
            var asked = clock.GetUtcNow();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(Database.CommandSeconds));
            var (told, newest) = (feed.Announcements, feed.NewestVersion);
            var asking = Read(limit.Token);
            try
            {
                await asking.WaitAsync(Patience, clock, ct);
            }
            catch (TimeoutException e)
            {
                Lose(e);
            }
            var (version, committed) = await asking;
            var (before, wasLost) = (Last, IsLost);
            (last, IsLost, IsFailing) = (new Beat(version, asked) { Committed = committed }, false, false);
            contact.Found();
            // Less than was committed before this was asked, whether a beat saw that or not: the database was restored.
            if (version < before?.Version || version < newest) feed.WentBack();
            // What was committed while nothing was heard of the database may have been told to nobody.
            else if (before is null || wasLost || version != before.Version && !feed.HasHeardOf(version) || committed != before.Committed && told == announcements) feed.PublishAll();
            announcements = told;
            if (wasLost) feed.Publish(Topic);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or InvalidOperationException or TimeoutException or DatabaseAwayException)
        {
            Lose(e);
        }
    }

    async Task<(long Version, long? Committed)> Read(CancellationToken ct)
    {
        await using var db = database.CreateDbContext();
        var read = await db.PageVersions.Select(p => new { p.Version, Committed = db.Audit.Max(a => (long?)a.Sequence) }).SingleAsync(ct);
        return (read.Version, read.Committed);
    }

    void Lose(Exception e)
    {
        contact.Lost(e);
        IsFailing = true;
        if (IsLost) return;
        IsLost = true;
        feed.Publish(Topic);
    }

    public sealed record Beat(long Version, DateTimeOffset At)
    {
        /// <summary>The last audited change.</summary>
        public long? Committed { get; init; }
    }
}
