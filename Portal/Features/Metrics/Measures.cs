using Portal.Domain.Metrics;

namespace Portal.Features.Metrics;

/// <summary>How far a measure had come at one reading; null where it was never measured.</summary>
/// <param name="Counts">Of a spread: how many values each bucket of a histogram has had.</param>
readonly record struct Mark(double? Value, long[]? Counts = null);

/// <summary>One thing that this process measures of itself: it only ever counts on, and whoever reads it takes the difference to what was read before.</summary>
abstract class Measure(MetricSeries series)
{
    public MetricSeries Series { get; } = series;

    /// <summary>Before all that is observed is asked for its value.</summary>
    public virtual void Begin() { }

    public abstract Mark Read();

    /// <returns>Null where there is nothing to tell.</returns>
    public abstract MetricPoint? Between(Mark before, Mark now, TimeSpan elapsed, DateTimeOffset at);

    protected MetricPoint Value(DateTimeOffset at, double value) => new(Series, at, value);
}

/// <summary>How often something happened.</summary>
sealed class Tally(MetricSeries series) : Measure(series)
{
    long total;

    public void Add(long by = 1) => Interlocked.Add(ref total, by);

    public override Mark Read() => new(Interlocked.Read(ref total));

    public override MetricPoint Between(Mark before, Mark now, TimeSpan elapsed, DateTimeOffset at) => Value(at, now.Value!.Value - (before.Value ?? 0));
}

/// <summary>What rises and falls by steps that are told, from the start on.</summary>
sealed class Running(MetricSeries series) : Measure(series)
{
    long value;

    public void Add(long by) => Interlocked.Add(ref value, by);

    public override Mark Read() => new(Interlocked.Read(ref value));

    public override MetricPoint Between(Mark before, Mark now, TimeSpan elapsed, DateTimeOffset at) => Value(at, now.Value!.Value);
}

/// <summary>What is asked for at each reading; several answers add up to one.</summary>
class Observed(MetricSeries series) : Measure(series)
{
    double? value;

    public override void Begin() => value = null;

    public void Add(double by) => value = (value ?? 0) + by;

    public override Mark Read() => new(value);

    public override MetricPoint? Between(Mark before, Mark now, TimeSpan elapsed, DateTimeOffset at) => (Series.Kind, now.Value) switch
    {
        (_, null) => null,
        (MetricKind.Counter, { } total) => Value(at, total - (before.Value <= total ? before.Value.Value : 0)),
        (_, { } held) => Value(at, held),
    };
}

/// <summary>Seconds of processor time, as the share of all processors that were used.</summary>
sealed class ProcessorShare(MetricSeries series) : Observed(series)
{
    public override MetricPoint? Between(Mark before, Mark now, TimeSpan elapsed, DateTimeOffset at) =>
        now.Value is not { } used || before.Value is not { } earlier || elapsed <= TimeSpan.Zero ? null
            : Value(at, Math.Clamp(100 * (used - earlier) / (elapsed.TotalSeconds * Environment.ProcessorCount), 0, 100));
}

/// <summary>How values were distributed. Adding one costs no memory and no lock.</summary>
sealed class Spread(MetricSeries series) : Measure(series)
{
    /// <summary>The sum is kept in whole thousandths, so that it can be added to without a lock.</summary>
    const double Scale = 1_000;
    readonly long[] counts = new long[Histogram.Last + 1];
    long sum;

    public void Add(double value)
    {
        Interlocked.Increment(ref counts[Histogram.BucketOf(value)]);
        Interlocked.Add(ref sum, (long)(value * Scale));
    }

    public override Mark Read() => new(Interlocked.Read(ref sum) / Scale, [.. counts]);

    /// <summary>A time in which nothing happened has no distribution.</summary>
    public override MetricPoint? Between(Mark before, Mark now, TimeSpan elapsed, DateTimeOffset at) =>
        Histogram.Between(before.Counts, now.Counts!) is { Count: > 0 } histogram ? new MetricPoint(Series, at, now.Value!.Value - (before.Value ?? 0), histogram) : null;
}
