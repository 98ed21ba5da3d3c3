using Portal.Domain.Metrics;

namespace Portal.Tests.Metrics;

public class HistogramTests
{
    static readonly Random Random = new(7);

    static double[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => Math.Exp(Random.NextDouble() * 14 - 3))];

    static Histogram Of(IEnumerable<double> values)
    {
        var histogram = new Histogram();
        foreach (var value in values) histogram.Add(value);
        return histogram;
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.5)]
    [InlineData(0.95)]
    [InlineData(0.99)]
    [InlineData(1)]
    public void A_percentile_is_right_within_two_percent(double share)
    {
        var values = Values(10_000);
        var exact = values.Order().ElementAt((int)Math.Ceiling(share * values.Length) - 1);
        Assert.InRange(Of(values).Percentile(share)!.Value, exact * (1 - Histogram.Accuracy) - 1e-9, exact * (1 + Histogram.Accuracy) + 1e-9);
    }

    [Fact]
    public void Parts_merge_to_the_same_as_the_whole_in_any_order()
    {
        var values = Values(3_000);
        var merged = new Histogram();
        foreach (var part in values.Chunk(700).Reverse()) merged.Merge(Of(part));
        Assert.Equal(Of(values).Pack(), merged.Pack());
        Assert.Equal(3_000, merged.Count);
    }

    [Fact]
    public void Packed_and_unpacked_it_is_the_same()
    {
        var histogram = Of(Values(500));
        var again = Histogram.Unpack(histogram.Pack());
        Assert.Equal(histogram.Pack(), again.Pack());
        Assert.Equal((histogram.Count, histogram.Percentile(0.9)), (again.Count, again.Percentile(0.9)));
        Assert.Null(Histogram.Unpack([]).Percentile(0.5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    [InlineData(double.NaN)]
    public void What_cannot_be_measured_counts_as_the_smallest(double value) => Assert.Equal(Histogram.Smallest, Of([value]).Percentile(1));

    [Fact]
    public void What_is_beyond_all_measure_shares_the_last_bucket()
    {
        Assert.Equal(Histogram.Last, Histogram.BucketOf(double.MaxValue));
        Assert.Equal(Histogram.Last, Histogram.BucketOf(double.PositiveInfinity));
    }

    [Fact]
    public void A_bucket_of_buckets_keeps_the_extremes_and_never_shows_more_than_was_measured()
    {
        Bucket One(double value) => new(default, 1, 0, value, value, value, Of([value]));
        var merged = Bucket.Merge(default, [One(100), One(7), new Bucket(default, 0, 3, 0, 0, 0, new Histogram())]);
        Assert.Equal((2, 3, 107, 7.0, 100.0), (merged.Count, merged.Failed, merged.Sum, merged.Min, merged.Max));
        Assert.Equal(7, merged.Percentile(0.01)!.Value, 0.15);
        Assert.InRange(merged.Percentile(1)!.Value, 98, 100);
        Assert.Null(Bucket.Merge(default, []).Average);
    }
}
