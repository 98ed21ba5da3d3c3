using System.Collections.Concurrent;
using Portal.Domain.Monitoring;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>When each monitor of this node is checked next, by monotonic time: a wall clock that jumps neither floods nor stalls it.</summary>
sealed class Timetable(TimeProvider clock, Random random)
{
    /// <summary>What was missed while nobody ran it is caught up within this time.</summary>
    static readonly TimeSpan CatchUp = TimeSpan.FromSeconds(10);

    /// <summary>However many fail for its sake, a cause is looked at so often at most.</summary>
    static readonly TimeSpan CauseFreshness = TimeSpan.FromSeconds(2);

    readonly Lock gate = new();
    readonly PriorityQueue<(Watched Watched, long Due), long> queue = new();
    readonly ConcurrentDictionary<MonitorId, Watched> all = new();

    public Bell Changed { get; } = new(clock);
    public ICollection<Watched> All => all.Values;

    public Watched? Find(MonitorId id) => all.GetValueOrDefault(id);

    /// <summary>Takes a monitor in: a new one within two seconds, another one where its turn would have been.</summary>
    public void Add(Watched watched)
    {
        all[watched.Id] = watched;
        if (!watched.LooksFromHere) return;
        Set(watched, watched.IsFresh ? Spread(EngineSettings.FirstCheckWithin) : Remaining(watched));
    }

    public void Remove(Watched watched)
    {
        watched.Drop();
        all.TryRemove(new(watched.Id, watched));
        Rest(watched);
    }

    /// <summary>No further turn.</summary>
    public void Rest(Watched watched) { lock (gate) watched.Due = long.MaxValue; }

    /// <summary>After an edit: soon when it was resumed or looks elsewhere now, not at all while it is paused.</summary>
    public void Reschedule(Watched watched, bool soon)
    {
        if (!watched.LooksFromHere) Rest(watched);
        else if (soon) Set(watched, Spread(EngineSettings.FirstCheckWithin));
        else Set(watched, Spread(watched.Monitor.Interval));
    }

    public void Soon(Watched watched, TimeSpan wait)
    {
        if (watched.LooksFromHere) Set(watched, wait);
    }

    /// <summary>What a failing target needs is looked at now, so that cause and effect are told apart when both are confirmed.</summary>
    public void HurryCauses(Monitor failing)
    {
        foreach (var needed in failing.DependsOn)
            if (Find(needed) is { } cause && !(clock.GetUtcNow() - cause.LastCheckAt < CauseFreshness)) Soon(cause, TimeSpan.Zero);
    }

    /// <summary>Those whose time has come, with the timestamp at which it came; each gets its next turn at once, and turns that were missed are left out.</summary>
    public List<(Watched Watched, long Due)> Due()
    {
        var due = new List<(Watched, long)>();
        lock (gate)
        {
            var now = clock.GetTimestamp();
            while (queue.TryPeek(out var entry, out var at) && at <= now)
            {
                queue.Dequeue();
                if (entry.Watched.Due != entry.Due || entry.Watched.IsDropped) continue;
                due.Add(entry);
                var interval = entry.Watched.Monitor.Interval;
                // Monitors that began together drift apart with their second check.
                var next = entry.Watched.IsFresh ? now + Ticks(interval / 2 + Spread(interval / 2)) : entry.Due + Ticks(interval);
                entry.Watched.IsFresh = false;
                Enqueue(entry.Watched, next > now ? next : now + Ticks(interval));
            }
        }
        return due;
    }

    /// <summary>Time until the next turn; at most a minute.</summary>
    public TimeSpan Wait()
    {
        lock (gate)
            return queue.TryPeek(out _, out var at) ? Clamp(TimeSpan.FromSeconds((at - clock.GetTimestamp()) / (double)clock.TimestampFrequency)) : TimeSpan.FromMinutes(1);
    }

    TimeSpan Remaining(Watched watched)
    {
        var interval = watched.Monitor.Interval;
        var remaining = watched.LastCheckAt!.Value + interval - clock.GetUtcNow();
        if (remaining > interval) return Spread(interval);
        return remaining > TimeSpan.Zero ? remaining : Spread(interval < CatchUp ? interval : CatchUp);
    }

    void Set(Watched watched, TimeSpan wait)
    {
        lock (gate) Enqueue(watched, clock.GetTimestamp() + Ticks(wait));
        Changed.Ring();
    }

    void Enqueue(Watched watched, long due)
    {
        watched.Due = due;
        queue.Enqueue((watched, due), due);
    }

    TimeSpan Spread(TimeSpan over) { lock (random) return over * random.NextDouble(); }

    long Ticks(TimeSpan time) => (long)(time.TotalSeconds * clock.TimestampFrequency);

    // Up to whole milliseconds: a delay of less is none at all, and whoever waits would turn round and round until the time has come.
    static TimeSpan Clamp(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait > TimeSpan.FromMinutes(1) ? TimeSpan.FromMinutes(1) : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
}
