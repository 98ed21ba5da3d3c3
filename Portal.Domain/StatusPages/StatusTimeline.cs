using Portal.Domain.Shared;

namespace Portal.Domain.StatusPages;

/// <summary>What follows from the spans of one component taken together.</summary>
public static class StatusTimeline
{
    /// <summary>Announced work hides everything else for as long as it lasts: an outage that goes on beyond it counts from its end on.</summary>
    /// <param name="announced">The spans of maintenance windows; they may overlap.</param>
    public static IReadOnlyList<StatusSpan> Announce(IEnumerable<StatusSpan> spans, IReadOnlyList<StatusSpan> announced)
    {
        var covered = announced.Select(s => new Interval(s.From, s.To ?? DateTimeOffset.MaxValue)).ToList();
        return [.. spans.SelectMany(s => s.Outside(covered)).Concat(announced).Where(s => s.To is null || s.To > s.From).OrderBy(s => s.From).ThenBy(s => s.Cause).ThenBy(s => s.Source)];
    }

    /// <summary>Back from <paramref name="asOf"/>, the edge at which the status was another one just before; null if it never was within the spans.</summary>
    public static DateTimeOffset? Since(IReadOnlyList<StatusSpan> spans, DateTimeOffset asOf)
    {
        var now = Just(asOf.AddTicks(1));
        foreach (var edge in spans.SelectMany(s => new[] { s.From, s.To ?? asOf }).Where(e => e <= asOf).Distinct().OrderDescending())
            if (Just(edge) != now) return edge;
        return null;

        ComponentStatus Just(DateTimeOffset before)
        {
            var active = spans.Where(s => s.From < before && (s.To is null || s.To >= before)).ToList();
            var manual = active.Where(s => s.Cause == StatusCause.Override).Select(s => (ComponentStatus?)s.Status).FirstOrDefault();
            return StatusRules.Effective(active.Any(s => s.Cause == StatusCause.Maintenance), manual, active.Select(s => s.Status));
        }
    }

    /// <summary>What is left of a span outside of these intervals, each piece with its own edges.</summary>
    static IEnumerable<StatusSpan> Outside(this StatusSpan span, IEnumerable<Interval> covered)
    {
        IEnumerable<StatusSpan> left = [span];
        foreach (var hole in covered) left = [.. left.SelectMany(s => s.Outside(hole))];
        return left;
    }

    static IEnumerable<StatusSpan> Outside(this StatusSpan span, Interval hole)
    {
        var end = span.To ?? DateTimeOffset.MaxValue;
        if (hole.IsEmpty || hole.To <= span.From || hole.From >= end)
        {
            yield return span;
            yield break;
        }
        // An edge that the hole cut is certain: it was announced to the minute.
        if (hole.From > span.From) yield return span with { To = hole.From, DoubtAfter = default };
        if (hole.To < end) yield return span with { From = hole.To, DoubtBefore = default };
    }
}
