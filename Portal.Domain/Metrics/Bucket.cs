namespace Portal.Domain.Metrics;

/// <summary>What one series did in a span of time that begins at <see cref="At"/>.</summary>
/// <param name="Count">Values that were measured.</param>
/// <param name="Failed">Observations that brought no value, such as failed checks.</param>
/// <param name="Min">The least value; 0 without one.</param>
public sealed record Bucket(DateTimeOffset At, long Count, long Failed, double Sum, double Min, double Max, Histogram Histogram)
{
    public double? Average => Count == 0 ? null : Sum / Count;

    /// <summary>Right within 2 %, and never beyond what was measured.</summary>
    public double? Percentile(double share) => Histogram.Percentile(share) is { } value ? Math.Clamp(value, Min, Max) : null;

    /// <summary>One bucket of several, in any order.</summary>
    public static Bucket Merge(DateTimeOffset at, IEnumerable<Bucket> buckets)
    {
        var histogram = new Histogram();
        var (count, failed, sum, min, max) = (0L, 0L, 0.0, 0.0, 0.0);
        foreach (var bucket in buckets)
        {
            histogram.Merge(bucket.Histogram);
            if (bucket.Count > 0) (min, max) = count == 0 ? (bucket.Min, bucket.Max) : (Math.Min(min, bucket.Min), Math.Max(max, bucket.Max));
            (count, failed, sum) = (count + bucket.Count, failed + bucket.Failed, sum + bucket.Sum);
        }
        return new Bucket(at, count, failed, sum, min, max, histogram);
    }
}
