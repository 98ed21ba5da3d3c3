namespace Portal.Domain.Shared;

/// <summary>A half-open span of time [<see cref="From"/>, <see cref="To"/>): touching intervals share no instant.</summary>
public readonly record struct Interval(DateTimeOffset From, DateTimeOffset To)
{
    /// <summary>Zero when the end does not lie after the beginning.</summary>
    public TimeSpan Length => To > From ? To - From : TimeSpan.Zero;

    public bool IsEmpty => To <= From;

    public Interval Intersect(Interval other) =>
        new(From > other.From ? From : other.From, To < other.To ? To : other.To);

    /// <summary>The total time covered by any of the intervals, overlaps counted once.</summary>
    public static TimeSpan Union(IEnumerable<Interval> intervals)
    {
        var total = TimeSpan.Zero;
        DateTimeOffset? covered = null;
        foreach (var interval in intervals.Where(i => !i.IsEmpty).OrderBy(i => i.From))
        {
            var from = covered is { } edge && edge > interval.From ? edge : interval.From;
            if (interval.To <= from) continue;
            total += interval.To - from;
            covered = interval.To;
        }
        return total;
    }
}
