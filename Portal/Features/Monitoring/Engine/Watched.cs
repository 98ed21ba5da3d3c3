using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>Something that must be written about a monitor beyond its last check, in the order in which it happened.</summary>
abstract record Happening
{
    public sealed record WentDown(Monitor Monitor, DateTimeOffset From, DateTimeOffset? LastGood, IReadOnlyList<FailedCheck> Evidence) : Happening;
    public sealed record CameUp(DateTimeOffset At, DateTimeOffset? LastBad) : Happening;
    public sealed record Missed(ComponentId? Component, Interval Span, string Reason) : Happening;
    public sealed record GapBegan(ComponentId? Component, DateTimeOffset At, string Reason) : Happening;
    public sealed record GapEnded(DateTimeOffset At) : Happening;
    public sealed record HealthChanged : Happening;
}

/// <summary>One monitor that this node runs: its configuration, what is known of it, and what is still to be written. Safe for several threads.</summary>
sealed class Watched(Monitor monitor, MonitorState state, long epoch, bool gapIsOpen)
{
    readonly Lock gate = new();
    readonly List<FailedCheck> failures = [];
    readonly List<Happening> unsaved = [];
    bool gapIsOpen = gapIsOpen;
    bool dropped;

    public MonitorId Id { get; } = monitor.Id;
    public int Shard { get; } = monitor.Shard;
    public long Epoch { get; } = epoch;
    public Monitor Monitor { get; private set; } = monitor;
    /// <summary>Not paused, and not left to other places.</summary>
    public bool LooksFromHere => Monitor.PausedAt is null && Monitor.FromHere;
    public DateTimeOffset? LastCheckAt => state.LastCheckAt;

    /// <summary>When it is due, in the clock's timestamps; only the timetable touches it.</summary>
    public long Due { get; set; } = long.MaxValue;
    public bool IsFresh { get; set; } = state.LastCheckAt is null;
    int running;

    public bool TryStart() => Interlocked.CompareExchange(ref running, 1, 0) == 0;

    public void Finish() => Volatile.Write(ref running, 0);

    public bool HasUnsaved { get { lock (gate) return unsaved.Count > 0; } }

    /// <summary>Not ours any more, or to be read anew: whatever comes in late is not counted.</summary>
    public void Drop() { lock (gate) dropped = true; }

    public bool IsDropped { get { lock (gate) return dropped; } }

    /// <summary>The time that a check beginning now bears: microseconds, as they are stored, and after the one before unless somebody set the clock back.</summary>
    public DateTimeOffset Stamp(DateTimeOffset now)
    {
        now = new DateTimeOffset(now.UtcTicks - now.UtcTicks % 10, TimeSpan.Zero);
        NoticeSetBack(now);
        lock (gate)
            return state.LastCheckAt is { } last && now <= last ? last.AddMilliseconds(1) : now;
    }

    /// <summary>Before a result is taken in: somebody may have set the clock back.</summary>
    public void NoticeSetBack(DateTimeOffset now)
    {
        lock (gate)
        {
            if (state.LastCheckAt is not { } last || last - now <= MonitorState.ClockTolerance) return;
            if (state.Health == MonitorHealth.Down)
            {
                // It ends where the old clock was and goes on where the new one is: neither is longer than it was.
                unsaved.Add(new Happening.CameUp(last, state.LastBadAt));
                unsaved.Add(new Happening.WentDown(Monitor, now, null, [.. failures.TakeLast(1)]));
            }
            failures.Clear();
            state.SetBack(now);
        }
    }

    /// <returns>False when the result came too late: the monitor was paused, looks otherwise now, or has left this node.</returns>
    public bool Take(CheckResult result, Monitor looked)
    {
        lock (gate)
        {
            if (dropped || Monitor.PausedAt is not null || looked.LooksOtherwiseThan(Monitor)) return false;
            var (health, unjudged) = (state.Health, state.UnjudgedSince is not null);
            var (wentDown, cameUp, gap) = state.Apply(result, Monitor);
            if (result.Outcome == CheckOutcome.Down)
            {
                if (failures.Count == Outage.EvidenceSize) failures.RemoveAt(0);
                failures.Add(new FailedCheck(result.At, result.StatusCode, result.Detail, result.Duration.TotalMilliseconds));
            }
            if (gapIsOpen) unsaved.Add(new Happening.GapEnded(result.At));
            else if (gap is { } missed) unsaved.Add(new Happening.Missed(Monitor.ComponentId, missed, unjudged ? ObservationGap.NoConnection : ObservationGap.Unwatched));
            gapIsOpen = false;
            if (cameUp is { } up) unsaved.Add(new Happening.CameUp(up.At, up.LastBad));
            if (wentDown is { } down) unsaved.Add(new Happening.WentDown(Monitor, down.At, down.LastGood, [.. failures.Where(f => f.At >= down.At)]));
            if (state.Health != health) unsaved.Add(new Happening.HealthChanged());
            return true;
        }
    }

    /// <summary>A check failed while this node reached nothing.</summary>
    public void LeaveUnjudged(DateTimeOffset at)
    {
        lock (gate)
            if (!dropped && Monitor.PausedAt is null) state.LeaveUnjudged(at);
    }

    /// <summary>The configuration was edited.</summary>
    public void Follow(Monitor changed, DateTimeOffset now)
    {
        lock (gate)
        {
            var before = Monitor;
            Monitor = changed;
            if (changed.PausedAt is { } pausedAt) Suspend(Later(pausedAt, state.LastCheckAt));
            else if (state.Health == MonitorHealth.Down && (before.ComponentId != changed.ComponentId || before.Impact != changed.Impact))
            {
                // What it did to the old component ends here; the rest is the new one's.
                unsaved.Add(new Happening.CameUp(now, state.LastBadAt));
                unsaved.Add(new Happening.WentDown(changed, now, null, [.. failures.TakeLast(1)]));
            }
        }
    }

    /// <summary>A pause that was not written down yet.</summary>
    public void NoticePause()
    {
        lock (gate)
            if (Monitor.PausedAt is { } pausedAt) Suspend(Later(pausedAt, state.LastCheckAt));
    }

    void Suspend(DateTimeOffset at)
    {
        if (gapIsOpen) return;
        if (state.Suspend(at).CameUp is { } up) unsaved.Add(new Happening.CameUp(up.At, up.LastBad));
        failures.Clear();
        unsaved.Add(new Happening.GapBegan(Monitor.ComponentId, at, ObservationGap.Paused));
        gapIsOpen = true;
    }

    /// <summary>What is to be written, together with the state as it is at this moment.</summary>
    public IReadOnlyList<Happening> Unsaved(Action<MonitorState> read)
    {
        lock (gate)
        {
            read(state);
            return [.. unsaved];
        }
    }

    public void Saved(int count) { lock (gate) unsaved.RemoveRange(0, Math.Min(count, unsaved.Count)); }

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;
}
