using Portal.Domain.Shared;

namespace Portal.Domain.StatusPages;

/// <summary>What made a component unwell for a while.</summary>
public enum StatusCause { Monitor, Incident, Override, Maintenance }

/// <summary>A span in which one cause gave a component one status; the record that strips are computed from.</summary>
/// <param name="To">Null while it lasts.</param>
/// <param name="Source">Id of the monitor, incident or maintenance window; null for an override.</param>
/// <param name="Note">The title of the incident or window; empty for the others: what a monitor is called and who set an override is not for customers.</param>
/// <param name="DoubtBefore">How much earlier it may have begun: the time since the last good observation.</param>
/// <param name="DoubtAfter">How much earlier it may have ended: the time since the last bad observation.</param>
public sealed record StatusSpan(
    ComponentId Component, ComponentStatus Status, StatusCause Cause, DateTimeOffset From, DateTimeOffset? To,
    Guid? Source, string Note, TimeSpan DoubtBefore = default, TimeSpan DoubtAfter = default)
{
    public Interval Within(Interval period, DateTimeOffset now) => new Interval(From, To ?? now).Intersect(period);
}

/// <summary>How one component fared in one day (or any period) of the page's zone.</summary>
/// <param name="Worst">The worst status that lasted for any time; operational if none.</param>
/// <param name="Observed">Time in which somebody looked: the period up to now, less what was before the start and less gaps.</param>
/// <param name="Unobserved">Time without data; never counted as up.</param>
public sealed record DayRecord(
    DateOnly Day, Interval Period, ComponentStatus Worst, TimeSpan Major, TimeSpan Partial, TimeSpan Degraded, TimeSpan Maintenance, TimeSpan Observed, TimeSpan Unobserved)
{
    /// <summary>1 − (major + 0.3 × partial) ÷ (observed − maintenance), between 0 and 1; null when nothing was observed.</summary>
    public double? Uptime => UptimeRules.Ratio(Major, Partial, Observed - Maintenance);
}

/// <summary>The weighted figure shown to customers. Availability in an SLA is another figure with another name.</summary>
public static class UptimeRules
{
    /// <summary>How much of a partial outage counts as down.</summary>
    public const double PartialWeight = 0.3;

    public static double? Ratio(TimeSpan major, TimeSpan partial, TimeSpan observed) =>
        observed <= TimeSpan.Zero ? null : Math.Clamp(1 - (major + PartialWeight * partial) / observed, 0, 1);

    public static double? Ratio(IEnumerable<DayRecord> days)
    {
        var (major, partial, observed) = (TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        foreach (var day in days) (major, partial, observed) = (major + day.Major, partial + day.Partial, observed + day.Observed - day.Maintenance);
        return Ratio(major, partial, observed);
    }

    /// <summary>The period of a local day in a zone; 23 or 25 hours long when the clocks change.</summary>
    public static Interval DayIn(TimeZoneInfo zone, DateOnly day) => new(Midnight(zone, day), Midnight(zone, day.AddDays(1)));

    /// <summary>One record a day, oldest first, the last being the day that <paramref name="now"/> falls on.</summary>
    /// <param name="spans">Of one component.</param>
    /// <param name="gaps">Spans in which nothing was observed.</param>
    /// <param name="observedFrom">When observation began; before it is without data.</param>
    public static IReadOnlyList<DayRecord> Days(
        IReadOnlyCollection<StatusSpan> spans, IReadOnlyCollection<Interval> gaps, DateTimeOffset observedFrom, TimeZoneInfo zone, int days, DateTimeOffset now)
    {
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);
        return [.. Enumerable.Range(0, days).Select(i => Day(spans, gaps, observedFrom, zone, today.AddDays(i - days + 1), now))];
    }

    public static DayRecord Day(
        IReadOnlyCollection<StatusSpan> spans, IReadOnlyCollection<Interval> gaps, DateTimeOffset observedFrom, TimeZoneInfo zone, DateOnly day, DateTimeOffset now)
    {
        var whole = DayIn(zone, day);
        var period = whole.Intersect(new Interval(DateTimeOffset.MinValue, now));
        var known = period.Intersect(new Interval(observedFrom, DateTimeOffset.MaxValue));
        var inside = spans.Select(s => (s.Status, s.Cause, Part: s.Within(known, now))).Where(s => !s.Part.IsEmpty).ToList();
        var (time, observed) = Sweep(known, inside, [.. gaps.Select(g => g.Intersect(known)).Where(g => !g.IsEmpty)]);
        return new DayRecord(day, whole,
            StatusRules.Worst(time.Where(t => t.Value > TimeSpan.Zero).Select(t => t.Key)),
            time.GetValueOrDefault(ComponentStatus.MajorOutage), time.GetValueOrDefault(ComponentStatus.PartialOutage),
            time.GetValueOrDefault(ComponentStatus.DegradedPerformance), time.GetValueOrDefault(ComponentStatus.UnderMaintenance),
            observed, period.Length - observed);
    }

    /// <summary>At every instant announced maintenance counts alone, else the override; otherwise the worst status does.</summary>
    /// <remarks>In a gap nobody saw what a monitor would have said, not even one that was down before; what an incident or a person states there still counts.</remarks>
    static (Dictionary<ComponentStatus, TimeSpan> Time, TimeSpan Observed) Sweep(Interval known, List<(ComponentStatus Status, StatusCause Cause, Interval Part)> spans, List<Interval> gaps)
    {
        var (time, observed) = (new Dictionary<ComponentStatus, TimeSpan>(), TimeSpan.Zero);
        if (known.IsEmpty) return (time, observed);
        var edges = spans.Select(s => s.Part).Concat(gaps).Append(known).SelectMany(i => new[] { i.From, i.To }).Distinct().Order().ToArray();
        for (var i = 0; i + 1 < edges.Length; i++)
        {
            var (from, to) = (edges[i], edges[i + 1]);
            var unseen = gaps.Any(g => g.From <= from && g.To >= to);
            var active = spans.Where(s => s.Part.From <= from && s.Part.To >= to && !(unseen && s.Cause == StatusCause.Monitor)).ToList();
            if (unseen && active.Count == 0) continue;
            observed += to - from;
            if (active.Count == 0) continue;
            var manual = active.Where(s => s.Cause == StatusCause.Override).Select(s => (ComponentStatus?)s.Status).Max();
            var status = StatusRules.Effective(active.Any(s => s.Cause == StatusCause.Maintenance), manual, active.Select(s => s.Status));
            time[status] = time.GetValueOrDefault(status) + (to - from);
        }
        return (time, observed);
    }

    static DateTimeOffset Midnight(TimeZoneInfo zone, DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        // Where the clock jumps over midnight the day begins with the first minute that exists.
        while (zone.IsInvalidTime(local)) local = local.AddMinutes(1);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
