using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>Keeps the timetable as the monitors of this node's shards are configured now.</summary>
sealed class Roster(Database database, OwnShards shards, Timetable timetable, Recorder recorder, EngineSettings settings, DatabaseContact contact, TimeProvider clock)
{
    volatile IReadOnlyDictionary<int, long> loaded = new Dictionary<int, long>();

    /// <summary>Rings when monitors may have changed.</summary>
    public Bell Bell { get; } = new(clock);

    /// <summary>The monitors of other shards than before are known.</summary>
    public event Action? Changed;

    /// <summary>Held shards whose monitors are known by now.</summary>
    public int[] Known
    {
        get
        {
            var known = loaded;
            return [.. shards.Held.Where(s => known.GetValueOrDefault(s.Key) == s.Value).Select(s => s.Key)];
        }
    }

    public async Task Follow(CancellationToken ct)
    {
        while (true)
        {
            var held = shards.Held;
            await Load(held, ct);
            var before = loaded;
            loaded = held;
            if (!ReferenceEquals(before, held)) Changed?.Invoke();
            contact.Found(nameof(Roster));
            await Bell.Wait(settings.Follow, ct);
        }
    }

    async Task Load(IReadOnlyDictionary<int, long> held, CancellationToken ct)
    {
        await using var db = database.CreateDbContext();
        var versions = held.Count == 0 ? [] : await db.Monitors.AsNoTracking().Where(m => held.Count == MonitorId.ShardCount || held.Keys.Contains(m.Shard))
            .Select(m => new { m.Id, m.Version }).ToDictionaryAsync(m => m.Id, m => m.Version, ct);
        foreach (var gone in timetable.All.Where(w => w.IsDropped || !versions.ContainsKey(w.Id))) timetable.Remove(gone);
        var changed = versions.Where(v => timetable.Find(v.Key)?.Monitor.Version != v.Value).Select(v => v.Key).ToList();
        foreach (var some in changed.Chunk(1_000)) await Load(db, some, held, ct);
    }

    async Task Load(PortalDbContext db, MonitorId[] ids, IReadOnlyDictionary<int, long> held, CancellationToken ct)
    {
        var monitors = await db.Monitors.AsNoTracking().Where(m => ids.Contains(m.Id)).ToListAsync(ct);
        var states = await db.MonitorStates.AsNoTracking().Where(s => ids.Contains(s.MonitorId)).ToDictionaryAsync(s => s.MonitorId, ct);
        var gaps = (await db.ObservationGaps.AsNoTracking().Where(g => ids.Contains(g.MonitorId) && g.To == null).Select(g => g.MonitorId).ToListAsync(ct)).ToHashSet();
        foreach (var monitor in monitors)
        {
            if (timetable.Find(monitor.Id) is { } known) Change(known, monitor);
            else if (held.TryGetValue(monitor.Shard, out var epoch) && shards.Held.GetValueOrDefault(monitor.Shard) == epoch)
            {
                var watched = new Watched(monitor, states.GetValueOrDefault(monitor.Id) ?? await Begin(db, monitor, ct), epoch, gaps.Contains(monitor.Id));
                watched.NoticePause();
                timetable.Add(watched);
                if (watched.HasUnsaved) recorder.Touch(watched);
            }
        }
    }

    void Change(Watched watched, Monitor monitor)
    {
        var before = watched.Monitor;
        watched.Follow(monitor, clock.GetUtcNow());
        var soon = before.PausedAt is not null || !before.FromHere || before.LooksOtherwiseThan(monitor);
        if (soon || before.Interval != monitor.Interval || !watched.LooksFromHere) timetable.Reschedule(watched, soon);
        if (watched.HasUnsaved) recorder.Touch(watched);
    }

    /// <summary>A monitor that came without its state row.</summary>
    static async Task<MonitorState> Begin(PortalDbContext db, Monitor monitor, CancellationToken ct)
    {
        var state = new MonitorState(monitor.Id, monitor.CreatedAt);
        db.Add(state);
        await db.SaveChangesAsync(ct);
        db.Entry(state).State = EntityState.Detached;
        return state;
    }
}
