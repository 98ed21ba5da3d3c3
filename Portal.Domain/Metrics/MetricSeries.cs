namespace Portal.Domain.Metrics;

/// <summary>What the numbers of a series mean, and so how they are merged.</summary>
public enum MetricKind
{
    /// <summary>How often something happened since the point before: points add up, over time and over nodes.</summary>
    Counter,
    /// <summary>How much there was at that moment.</summary>
    Gauge,
    /// <summary>How values were distributed since the point before.</summary>
    Distribution,
}

/// <summary>One thing that is measured over time, told from others by its name and labels.</summary>
/// <param name="Unit">Of one value, as people write it: "ms", "bytes", "%"; empty for a number of things.</param>
/// <param name="Labels">What the portal measures of itself carries <see cref="Node"/>: each node's series are its own and are merged by whoever reads.</param>
public sealed record MetricSeries(string Name, MetricKind Kind, string Unit, IReadOnlyDictionary<string, string> Labels)
{
    /// <summary>The label that says which process measured.</summary>
    public const string Node = "node";
}

/// <summary>What one series did in the ten seconds from <paramref name="At"/> on.</summary>
/// <param name="Histogram">Null for a single value, which is <paramref name="Sum"/>.</param>
public sealed record MetricPoint(MetricSeries Series, DateTimeOffset At, double Sum, Histogram? Histogram = null)
{
    public long Count => Histogram?.Count ?? 1;
}
