using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Monitoring;

/// <param name="Outcome">Of this one check; the monitor's verdict may need several.</param>
public sealed record LatestCheck(MonitorId Monitor, string Name, DateTimeOffset At, CheckOutcome Outcome, int? StatusCode, TimeSpan? Duration, string? Detail);

/// <summary>
/// The checks that came last, on whichever node, for all who look. Who stored them announces their monitors; these are looked up by id, at most once a second, and only while somebody looks.
/// </summary>
public sealed class LatestChecks(IDbContextFactory<PortalDbContext> contexts, ChangeFeed feed, TimeProvider clock, ILogger<LatestChecks> log) : IDisposable
{
    /// <summary>Told when there are new ones.</summary>
    public const string Topic = "latest-checks";
    public const int Most = 20, MostSlow = 5;
    const string Prefix = "monitor:";
    static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    readonly Lock gate = new();
    readonly DatabaseContact contact = new("The list of the latest checks", clock, log);
    readonly Queue<MonitorId> announced = new();
    IReadOnlyList<LatestCheck> now = [], slowest = [];
    IDisposable? hearing;
    CancellationTokenSource? watched;
    long slowestAt;
    int watchers;

    /// <summary>Newest first.</summary>
    public IReadOnlyList<LatestCheck> Now => Volatile.Read(ref now);

    /// <summary>The monitors whose last good check took longest, slowest first; some seconds old.</summary>
    public IReadOnlyList<LatestCheck> Slowest => Volatile.Read(ref slowest);

    public IDisposable Watch()
    {
        lock (gate)
            if (watchers++ == 0)
            {
                watched = new CancellationTokenSource();
                var token = watched.Token;
                feed.Heard += Hear;
                // Everybody's, not that of whoever came first.
                using (ExecutionContext.SuppressFlow())
                {
                    hearing = feed.Subscribe("checks", () => Look(token), Rest);
                    _ = Task.Run(() => Begin(token), CancellationToken.None);
                }
            }
        return new Watcher(this);
    }

    void Leave()
    {
        lock (gate)
        {
            if (--watchers > 0) return;
            feed.Heard -= Hear;
            hearing!.Dispose();
            End();
            announced.Clear();
            (now, slowest, slowestAt) = ([], [], 0);
        }
    }

    void Hear(IReadOnlyCollection<string> topics)
    {
        foreach (var topic in topics.Where(t => t.StartsWith(Prefix, StringComparison.Ordinal)).TakeLast(Most))
            if (Id.TryParse<MonitorId>(topic[Prefix.Length..], out var id))
                lock (gate)
                {
                    announced.Enqueue(id);
                    while (announced.Count > Most) announced.Dequeue();
                }
    }

    Task Begin(CancellationToken ct) => Asking(async db =>
    {
        await LookAtSlowest(db, ct);
        Take(await Read(States(db).Where(s => s.LastCheckAt != null).OrderByDescending(s => s.LastCheckAt).Take(Most), db, ct), ct);
    }, ct);

    Task Look(CancellationToken ct)
    {
        MonitorId[] ids;
        lock (gate)
        {
            ids = [.. announced.Distinct()];
            announced.Clear();
        }
        return Asking(async db =>
        {
            if (clock.GetElapsedTime(slowestAt) > Rest * 10) await LookAtSlowest(db, ct);
            if (ids.Length > 0) Take(await Read(States(db).Where(s => ids.Contains(s.MonitorId)), db, ct), ct);
        }, ct);
    }

    async Task LookAtSlowest(PortalDbContext db, CancellationToken ct)
    {
        slowestAt = clock.GetTimestamp();
        var found = await Read(States(db).Where(s => s.Health == MonitorHealth.Up && s.LastDuration != null && s.LastCheckAt == s.LastGoodAt).OrderByDescending(s => s.LastDuration).Take(MostSlow), db, ct);
        if (!ct.IsCancellationRequested) Volatile.Write(ref slowest, [.. found.OrderByDescending(c => c.Duration)]);
    }

    async Task Asking(Func<PortalDbContext, Task> ask, CancellationToken ct)
    {
        try
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            await ask(db);
            contact.Found();
            feed.Publish(Topic);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        catch (Exception e) when (Refusal.IsDatabaseAway(e))
        {
            contact.Lost(e);
        }
    }

    static IQueryable<MonitorState> States(PortalDbContext db) => db.MonitorStates.AsNoTracking().Where(s => db.Monitors.Any(m => m.Id == s.MonitorId && m.PausedAt == null));

    static async Task<IReadOnlyList<LatestCheck>> Read(IQueryable<MonitorState> states, PortalDbContext db, CancellationToken ct)
    {
        var rows = await (from s in states join m in db.Monitors on s.MonitorId equals m.Id select new { State = s, m.Name }).ToListAsync(ct);
        return [.. rows.Select(r => new LatestCheck(r.State.MonitorId, r.Name, r.State.LastCheckAt!.Value, OutcomeOf(r.State), r.State.LastStatusCode, r.State.LastDuration, r.State.LastDetail))];
    }

    static CheckOutcome OutcomeOf(MonitorState state) =>
        state.LastCheckAt == state.LastGoodAt ? CheckOutcome.Up : state.LastCheckAt == state.LastBadAt ? CheckOutcome.Down : CheckOutcome.NotConfigured;

    void Take(IReadOnlyList<LatestCheck> found, CancellationToken ct)
    {
        lock (gate)
            if (!ct.IsCancellationRequested)
                Volatile.Write(ref now, [.. found.Concat(now).DistinctBy(c => (c.Monitor, c.At)).OrderByDescending(c => c.At).Take(Most)]);
    }

    void End()
    {
        watched?.Cancel();
        watched?.Dispose();
        watched = null;
    }

    public void Dispose()
    {
        lock (gate) End();
    }

    sealed class Watcher(LatestChecks checks) : IDisposable
    {
        int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) checks.Leave();
        }
    }
}
