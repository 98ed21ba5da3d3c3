namespace Portal.Domain.Monitoring;

/// <summary>What one stream of checks confirms by N of M: of a monitor, or of one place that looks at it.</summary>
/// <param name="Since">Since when it is what it is.</param>
/// <param name="Recent">The last checks, oldest first, at most 20; what N of M is counted on.</param>
/// <param name="GoodSince">Since when every check was good; null after a bad one.</param>
public sealed record Judgement(MonitorHealth Health, DateTimeOffset Since, IReadOnlyList<RecentCheck> Recent, DateTimeOffset? LastGoodAt, DateTimeOffset? LastBadAt, DateTimeOffset? GoodSince)
{
    const int Remembered = 20;

    public static Judgement New(DateTimeOffset now) => new(MonitorHealth.Unknown, now, [], null, null, null);

    /// <summary>A gap breaks the run: what was before it confirms nothing after it.</summary>
    public Judgement Broken() => this with { Recent = [], GoodSince = null };

    /// <summary>As if everything that lies after this moment had happened then.</summary>
    public Judgement NoLaterThan(DateTimeOffset now) => new(Health, Earlier(Since, now), [.. Recent.Select(r => r with { At = Earlier(r.At, now) })], Earlier(LastGoodAt, now), Earlier(LastBadAt, now), Earlier(GoodSince, now));

    static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset b) => a is { } given ? Earlier(given, b) : null;

    /// <summary>Nothing is said any more.</summary>
    public Judgement Silent(DateTimeOffset at) => Broken() with { Health = MonitorHealth.Unknown, Since = Health == MonitorHealth.Unknown ? Since : at };

    /// <param name="quiet">So long a flapping target must hold until an outage ends; null where it need not.</param>
    public Judgement Take(DateTimeOffset at, bool ok, Monitor monitor, TimeSpan? quiet = null)
    {
        var next = this with { Recent = [.. Recent.Append(new RecentCheck(at, ok)).TakeLast(Remembered)], GoodSince = ok ? GoodSince ?? at : null };
        return ok ? next.Good(at, monitor, quiet) with { LastGoodAt = at } : next.Bad(monitor) with { LastBadAt = at };
    }

    /// <summary>Whether the last good checks before this one would have ended an outage of a target that does not flap.</summary>
    public bool HadComeBack(Monitor monitor) => Recent.Reverse().TakeWhile(r => r.Ok).Count() >= monitor.SuccessesBeforeUp;

    /// <summary>The last good check before an outage that begins at its <see cref="Since"/>.</summary>
    public DateTimeOffset? LastGoodBefore => Recent.LastOrDefault(r => r.Ok && r.At < Since)?.At ?? (LastGoodAt < Since ? LastGoodAt : null);

    Judgement Good(DateTimeOffset at, Monitor monitor, TimeSpan? quiet)
    {
        var holds = HadComeBack(monitor) && (quiet is null || at - GoodSince >= quiet);
        return Health == MonitorHealth.Up || (Health == MonitorHealth.Down && !holds) ? this : this with { Health = MonitorHealth.Up, Since = GoodSince > Since ? GoodSince.Value : Since };
    }

    Judgement Bad(Monitor monitor)
    {
        if (Health == MonitorHealth.Down) return this;
        // What happened before the last recovery belongs to the outage that ended there.
        var failures = Recent.TakeLast(monitor.Window).Where(r => !r.Ok && (Health != MonitorHealth.Up || r.At >= Since)).ToList();
        return failures.Count < monitor.FailuresBeforeDown ? this : this with { Health = MonitorHealth.Down, Since = failures[0].At };
    }
}

/// <summary>What one place found last of a monitor that is looked at from several.</summary>
/// <param name="Place">Null is the portal itself.</param>
/// <param name="LastCheckAt">When its last check began, by the portal's clock.</param>
public sealed record PlaceState(ProbePlaceId? Place, Judgement Judged, DateTimeOffset LastCheckAt, TimeSpan LastDuration, int? LastStatusCode, string? LastDetail)
{
    /// <summary>One that was not heard of for so long has no voice.</summary>
    public bool Speaks(Monitor monitor, DateTimeOffset now) => now - LastCheckAt <= MonitorState.Patience(monitor);
}
