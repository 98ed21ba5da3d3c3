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

    /// <summary>Clocks of nodes differ by less; a step back by more is one that somebody set.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

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
    /// <summary>What each place found last, where several look.</summary>
    public IReadOnlyList<PlaceState> Places { get; private set; } = [];
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

    /// <summary>The clock was set back by more than <see cref="ClockTolerance"/>: what lies in what is the future now is taken to have happened now, so that what comes next has its true length.</summary>
    public void SetBack(DateTimeOffset now)
    {
        Judged = Judged.NoLaterThan(now);
        (FirstCheckAt, LastCheckAt) = (FirstCheckAt > now ? now : FirstCheckAt, LastCheckAt > now ? now : LastCheckAt);
        UnjudgedSince = UnjudgedSince > now ? now : UnjudgedSince;
        Downs = [.. Downs.Select(d => d > now ? now : d)];
        Places = [.. Places.Select(p => p with { Judged = p.Judged.NoLaterThan(now), LastCheckAt = p.LastCheckAt > now ? now : p.LastCheckAt })];
    }

    /// <summary>Takes a result in and says what it changed. A clock that was set back never makes an interval end before it began.</summary>
    public Transition Apply(CheckResult result, Monitor monitor)
    {
        var at = Later(result.At, monitor.Places.Count > 0 ? Places.FirstOrDefault(p => p.Place == result.Place)?.LastCheckAt : LastCheckAt);
        var gap = MissedSince(monitor, at);
        FirstCheckAt ??= at;
        UnjudgedSince = null;
        // Of several places one may report what began before another's.
        if (!(at < LastCheckAt)) (LastCheckAt, LastStatusCode, LastDuration, LastDetail) = (at, result.StatusCode, result.Duration, result.Detail);
        return (monitor.Places.Count > 0 ? TakeAt(result, monitor, at) : TakeAlone(result, monitor, at, gap is not null)) with { Gap = gap };
    }

    Transition TakeAlone(CheckResult result, Monitor monitor, DateTimeOffset at, bool afterGap)
    {
        Places = [];
        if (result.Outcome == CheckOutcome.NotConfigured)
        {
            var ended = Health == MonitorHealth.Down ? ((DateTimeOffset, DateTimeOffset?)?)(at, LastBadAt) : null;
            Judged = Judged.Silent(at);
            return new Transition(null, ended, null);
        }
        var (was, before) = (Health, afterGap ? Judged.Broken() : Judged);
        // It had come back, as far as anybody could tell, and did not hold.
        if (was == MonitorHealth.Down && result.Outcome == CheckOutcome.Down && before.HadComeBack(monitor)) CountDown(at);
        Judged = before.Take(at, result.Outcome == CheckOutcome.Up, monitor, IsFlapping(monitor, at) ? monitor.FlapQuiet : null);
        return Changed(was, Judged.LastGoodBefore);
    }

    /// <summary>One of several places looked: it judges for itself by N of M, and enough places together are the verdict.</summary>
    Transition TakeAt(CheckResult result, Monitor monitor, DateTimeOffset at)
    {
        var known = Places.FirstOrDefault(p => p.Place == result.Place);
        var judged = known?.Judged ?? Judgement.New(at);
        if (known is not null && !known.Speaks(monitor, at)) judged = judged.Broken();
        judged = result.Outcome == CheckOutcome.NotConfigured ? judged.Silent(at) : judged.Take(at, result.Outcome == CheckOutcome.Up, monitor);
        Places = [.. Places.Where(p => p.Place != result.Place && monitor.LooksFrom(p.Place)), new PlaceState(result.Place, judged, at, result.Duration, result.StatusCode, result.Detail)];
        return Agree(monitor, Later(at, LastCheckAt), known?.Judged.Health != MonitorHealth.Up && judged.Health == MonitorHealth.Up ? judged.Since : null);
    }

    /// <param name="turnedUp">Since when the place that was heard just now finds it up, where it did not before.</param>
    Transition Agree(Monitor monitor, DateTimeOffset now, DateTimeOffset? turnedUp)
    {
        var voices = Places.Where(p => p.Speaks(monitor, now)).Select(p => p.Judged).ToList();
        if (voices.Count == 0) return Transition.None;
        var down = voices.Where(v => v.Health == MonitorHealth.Down).OrderBy(v => v.Since).ToList();
        // Of fewer places than are wanted all must agree: those that were lost are no reason to be blind.
        var needed = Math.Min(monitor.PlacesBeforeDown, voices.Count);
        (LastGoodAt, LastBadAt) = (Places.Max(p => p.Judged.LastGoodAt), Places.Max(p => p.Judged.LastBadAt));
        var was = Health;
        if (down.Count >= needed)
        {
            var last = down[needed - 1];
            if (was == MonitorHealth.Down && GoodSince is not null) CountDown(now);
            GoodSince = null;
            if (was != MonitorHealth.Down) (Health, Since) = (MonitorHealth.Down, was == MonitorHealth.Up ? Later(last.Since, Since) : last.Since);
            return Changed(was, last.LastGoodBefore);
        }
        if (!voices.Exists(v => v.Health == MonitorHealth.Up)) return Transition.None;
        // Where a voice that was down fell silent, or is not asked any more, nobody knows of an earlier end than now.
        GoodSince ??= turnedUp > Since ? turnedUp : now;
        if (was == MonitorHealth.Down && IsFlapping(monitor, now) && now - GoodSince < monitor.FlapQuiet) return Transition.None;
        if (was != MonitorHealth.Up) (Health, Since) = (MonitorHealth.Up, GoodSince.Value);
        return Changed(was, null);
    }

    Transition Changed(MonitorHealth was, DateTimeOffset? lastGood)
    {
        if (was == Health) return Transition.None;
        if (Health == MonitorHealth.Down) CountDown(Since);
        return Health == MonitorHealth.Down ? new Transition((Since, lastGood), null, null) : was == MonitorHealth.Down ? new Transition(null, (Since, LastBadAt), null) : Transition.None;
    }

    Judgement Judged
    {
        get => new(Health, Since, Recent, LastGoodAt, LastBadAt, GoodSince);
        set => (Health, Since, Recent, LastGoodAt, LastBadAt, GoodSince) = (value.Health, value.Since, value.Recent, value.LastGoodAt, value.LastBadAt, value.GoodSince);
    }

    /// <summary>A person paused the monitor: what it said no longer stands.</summary>
    public Transition Suspend(DateTimeOffset now)
    {
        var ended = Health == MonitorHealth.Down ? ((DateTimeOffset, DateTimeOffset?)?)(now, LastBadAt) : null;
        (Health, Since, Recent, Places) = (MonitorHealth.Unknown, now, [], []);
        (GoodSince, Downs, UnjudgedSince) = (null, [], null);
        return new Transition(null, ended, null);
    }

    /// <summary>When the time without data begins if the next check does not come: three intervals and a time-out after the last one began.</summary>
    public static TimeSpan Patience(Monitor monitor) => Patience(monitor.Interval, monitor.Timeout);

    public static TimeSpan Patience(TimeSpan interval, TimeSpan timeout) => interval * 3 + timeout;

    /// <summary>Since when the next check is awaited: an edited monitor is judged by its new interval only from the edit on.</summary>
    public DateTimeOffset? AwaitedSince(Monitor monitor) => LastCheckAt is { } last ? AwaitedSince(last, monitor.UpdatedAt) : null;

    public static DateTimeOffset AwaitedSince(DateTimeOffset lastCheckAt, DateTimeOffset? updatedAt) => Later(lastCheckAt, updatedAt);

    Interval? MissedSince(Monitor monitor, DateTimeOffset at) =>
        AwaitedSince(monitor) is { } since && at - since > Patience(monitor) ? new Interval(since + monitor.Interval, at) : null;

    void CountDown(DateTimeOffset at) => Downs = [.. Downs.Append(at).TakeLast(Monitor.FlapOutages)];

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;
}
