namespace Portal.Domain.Metrics;

/// <summary>
/// How values were distributed: counts of logarithmic buckets, so that each percentile is right within 2 % of its value, and two histograms merge without loss.
/// </summary>
/// <remarks>Values below 0.001 count as 0.001, those beyond 10¹⁴ as 10¹⁴. Source: DDSketch (Masson, Rim, Lee; VLDB 2019), with fixed buckets.</remarks>
public sealed class Histogram
{
    /// <summary>The largest error of a percentile, as a share of its value.</summary>
    public const double Accuracy = 0.02;
    /// <summary>The lower edge; all that is smaller shares bucket 0.</summary>
    public const double Smallest = 0.001;
    /// <summary>The last bucket.</summary>
    public const int Last = 1023;
    /// <summary>Each bucket is wider than the one before by this factor, here as its logarithm.</summary>
    public static readonly double LogGamma = Math.Log((1 + Accuracy) / (1 - Accuracy));

    /// <summary>Packed: the bucket's number above, its count below.</summary>
    const int CountBits = 40;
    const long CountMask = (1L << CountBits) - 1;

    readonly SortedDictionary<int, long> buckets = [];

    public long Count { get; private set; }

    public static int BucketOf(double value) => value > Smallest ? Math.Min(Last, (int)Math.Ceiling(Math.Log(value / Smallest) / LogGamma)) : 0;

    public void Add(double value) => Add(BucketOf(value), 1);

    /// <summary>Values that were sorted into their bucket already.</summary>
    public void Add(int bucket, long count)
    {
        buckets[bucket] = Math.Min(CountMask, buckets.GetValueOrDefault(bucket) + count);
        Count += count;
    }

    public void Merge(Histogram other)
    {
        foreach (var (bucket, count) in other.buckets) Add(bucket, count);
    }

    /// <summary>The value that a share of all values does not exceed; null where there is none.</summary>
    /// <param name="share">0 to 1: 0.95 for the 95th percentile.</param>
    public double? Percentile(double share)
    {
        if (Count == 0) return null;
        var rank = Math.Max(1, (long)Math.Ceiling(Math.Clamp(share, 0, 1) * Count));
        foreach (var (bucket, count) in buckets)
            if ((rank -= count) <= 0) return Middle(bucket);
        return Middle(Last);
    }

    /// <summary>The least and the largest value, within the accuracy; 0 where there is none.</summary>
    public (double Min, double Max) Range => Count == 0 ? (0, 0) : (Middle(buckets.Keys.First()), Middle(buckets.Keys.Last()));

    /// <summary>What came in between two states of a count by bucket; before the first there was nothing.</summary>
    public static Histogram Between(long[]? before, long[] now)
    {
        var histogram = new Histogram();
        for (var bucket = 0; bucket < now.Length; bucket++)
            if (now[bucket] - (before?[bucket] ?? 0) is > 0 and var came) histogram.Add(bucket, came);
        return histogram;
    }

    /// <summary>One number a bucket in rising order, as the database keeps and merges them.</summary>
    public long[] Pack() => [.. buckets.Select(b => ((long)b.Key << CountBits) | b.Value)];

    public static Histogram Unpack(IEnumerable<long> packed)
    {
        var histogram = new Histogram();
        foreach (var number in packed) histogram.Add((int)(number >> CountBits), number & CountMask);
        return histogram;
    }

    /// <summary>As far from the lower edge as from the upper, in shares of the value.</summary>
    static double Middle(int bucket) => bucket == 0 ? Smallest : Smallest * 2 * Math.Exp(bucket * LogGamma) / (Math.Exp(LogGamma) + 1);
}
