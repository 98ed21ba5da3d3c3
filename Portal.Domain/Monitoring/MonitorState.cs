using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>The confirmed verdict on a target; unknown until the first check and while paused.</summary>
public enum MonitorHealth { Unknown, Up, Down }

/// <summary>One check as the confirmation remembers it.</summary>
public sealed record RecentCheck(DateTimeOffset At, bool Ok);

/// <summary>What a check changed; null members changed nothing.</summary>
/// <param name="WentDown">The outage's beginning, applied back to the first of the failures that confirm it, and the last good check before it.</param>
/// <param name="CameUp">The outage's end, applied back to the first of the successes that confirm it, and the last bad check before it.</param>
/// <param name="Gap">Time in which no check ran although one should have.</param>
public sealed record Transition((DateTimeOffset At, DateTimeOffset? LastGood)? WentDown, (DateTimeOffset At, DateTimeOffset? LastBad)? CameUp, Interval? Gap)
{
    public static readonly Transition None = new(null, null, null);
}

/// <summary>What is known of a monitor now: run state, written only by the node that leases its shard.</summary>
public sealed class MonitorState
{
    MonitorState() { }

    public MonitorState(MonitorId monitor, DateTimeOffset now) => (MonitorId, Since) = (monitor, now);

    public MonitorId MonitorId { get; private set; }
    public MonitorHealth Health { get; private set; }
    /// <summary>Since when it is what it is.</summary>
    public DateTimeOffset Since { get; private set; }
    public DateTimeOffset? FirstCheckAt { get; private set; }
    public DateTimeOffset? LastCheckAt { get; private set; }
    public DateTimeOffset? LastGoodAt { get; private set; }
    public DateTimeOffset? LastBadAt { get; private set; }
    public int? LastStatusCode { get; private set; }
    public TimeSpan? LastDuration { get; private set; }
    /// <summary>Why the last check failed, or the note of a part that is not configured.</summary>
    public string? LastDetail { get; private set; }
    /// <summary>The last checks, oldest first, at most 20; what N of M is counted on.</summary>
    public IReadOnlyList<RecentCheck> Recent { get; private set; } = [];
    /// <summary>Since when every check was good; null after a bad one.</summary>
    public DateTimeOffset? GoodSince { get; private set; }
    /// <summary>When the last outages began, oldest first, at most <see cref="Monitor.FlapOutages"/>; those that damping made one are counted each.</summary>
    public IReadOnlyList<DateTimeOffset> Downs { get; private set; } = [];
    /// <summary>Since when failures are not held against the target, because the portal itself reaches nothing; null while it does.</summary>
    public DateTimeOffset? UnjudgedSince { get; private set; }
    /// <summary>The lease epoch of the node that wrote this; a smaller one is stale and is refused.</summary>
    public long Epoch { get; private set; }

    public void Fence(long epoch)
    {
        if (epoch < Epoch) throw new ConflictException("Another node runs this monitor now.");
        Epoch = epoch;
    }

    /// <summary>Whether it went down so often that an end of its outage counts only once it has held for <see cref="Monitor.FlapQuiet"/>.</summary>
    public bool IsFlapping(Monitor monitor, DateTimeOffset now) => monitor.DampFlapping && Downs.Count == Monitor.FlapOutages && now - Downs[0] <= monitor.FlapWindow;

    /// <summary>A check failed while the portal itself reached nothing: that says nothing of the target.</summary>
    public void LeaveUnjudged(DateTimeOffset at) => UnjudgedSince ??= at;

    /// <summary>Takes a result in and says what it changed. A clock that was set back never makes an interval end before it began.</summary>
    public Transition Apply(CheckResult result, Monitor monitor)
    {
        var at = LastCheckAt is { } last && result.At < last ? last : result.At;
        var gap = MissedSince(monitor, at);
        FirstCheckAt ??= at;
        UnjudgedSince = null;
        if (gap is not null || result.Outcome != CheckOutcome.Up) GoodSince = null;
        (LastCheckAt, LastStatusCode, LastDuration, LastDetail) = (at, result.StatusCode, result.Duration, result.Detail);
        if (result.Outcome == CheckOutcome.NotConfigured)
        {
            var ended = Health == MonitorHealth.Down ? ((DateTimeOffset, DateTimeOffset?)?)(at, LastBadAt) : null;
            if (Health != MonitorHealth.Unknown) (Health, Since) = (MonitorHealth.Unknown, at);
            Recent = [];
            return new Transition(null, ended, gap);
        }
        // A gap breaks the run: failures from before it confirm nothing after it.
        Recent = [.. (gap is null ? Recent : []).Append(new RecentCheck(at, result.Outcome == CheckOutcome.Up)).TakeLast(20)];
        var transition = result.Outcome == CheckOutcome.Up ? Good(monitor, at) : Bad(monitor, at);
        if (result.Outcome == CheckOutcome.Up) LastGoodAt = at; else LastBadAt = at;
        return transition with { Gap = gap };
    }

    /// <summary>A person paused the monitor: what it said no longer stands.</summary>
    public Transition Suspend(DateTimeOffset now)
    {
        var ended = Health == MonitorHealth.Down ? ((DateTimeOffset, DateTimeOffset?)?)(now, LastBadAt) : null;
        (Health, Since, Recent) = (MonitorHealth.Unknown, now, []);
        (GoodSince, Downs, UnjudgedSince) = (null, [], null);
        return new Transition(null, ended, null);
    }

    /// <summary>When the time without data begins if the next check does not come: three intervals and a time-out after the last one began.</summary>
    public static TimeSpan Patience(Monitor monitor) => monitor.Interval * 3 + monitor.Timeout;

    /// <summary>Since when the next check is awaited: an edited monitor is judged by its new interval only from the edit on.</summary>
    public DateTimeOffset? AwaitedSince(Monitor monitor) => LastCheckAt is { } last ? Later(last, monitor.UpdatedAt) : null;

    Interval? MissedSince(Monitor monitor, DateTimeOffset at) =>
        AwaitedSince(monitor) is { } since && at - since > Patience(monitor) ? new Interval(since + monitor.Interval, at) : null;

    Transition Good(Monitor monitor, DateTimeOffset at)
    {
        GoodSince ??= at;
        var holds = Recent.Reverse().TakeWhile(r => r.Ok).Count() >= monitor.SuccessesBeforeUp && (!IsFlapping(monitor, at) || at - GoodSince >= monitor.FlapQuiet);
        if (Health == MonitorHealth.Up || (Health == MonitorHealth.Down && !holds)) return Transition.None;
        var (was, first) = (Health, Later(GoodSince.Value, Since));
        (Health, Since) = (MonitorHealth.Up, first);
        return was == MonitorHealth.Down ? new Transition(null, (first, LastBadAt), null) : Transition.None;
    }

    Transition Bad(Monitor monitor, DateTimeOffset at)
    {
        if (Health == MonitorHealth.Down)
        {
            // It had come back, as far as anybody could tell, and did not hold.
            if (Recent.SkipLast(1).Reverse().TakeWhile(r => r.Ok).Count() >= monitor.SuccessesBeforeUp) CountDown(at);
            return Transition.None;
        }
        var failures = Recent.TakeLast(monitor.Window).Where(r => !r.Ok).ToList();
        if (failures.Count < monitor.FailuresBeforeDown) return Transition.None;
        var first = failures[0].At;
        // What happened before the last recovery belongs to the outage that ended there.
        if (Health == MonitorHealth.Up && first < Since)
        {
            failures = [.. failures.Where(f => f.At >= Since)];
            if (failures.Count < monitor.FailuresBeforeDown) return Transition.None;
            first = failures[0].At;
        }
        var lastGood = Recent.LastOrDefault(r => r.Ok && r.At < first)?.At ?? (LastGoodAt < first ? LastGoodAt : null);
        (Health, Since) = (MonitorHealth.Down, first);
        CountDown(first);
        return new Transition((first, lastGood), null, null);
    }

    void CountDown(DateTimeOffset at) => Downs = [.. Downs.Append(at).TakeLast(Monitor.FlapOutages)];

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
