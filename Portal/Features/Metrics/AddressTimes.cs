using System.Collections.Concurrent;
using Portal.Domain.Metrics;

namespace Portal.Features.Metrics;

/// <param name="Route">As it was mapped: <c>/api/v1/monitors/{id}</c>.</param>
/// <param name="P95">In ms.</param>
public sealed record AddressTime(string Method, string Route, long Count, double P95);

/// <summary>How long the portal's own addresses took on this node over the last five to ten minutes: where to look when it is slow. Kept in memory alone.</summary>
public sealed class AddressTimes
{
    /// <summary>So often the older half is forgotten.</summary>
    public static readonly TimeSpan Span = TimeSpan.FromMinutes(5);
    /// <summary>Each takes 8 KB.</summary>
    const int Most = 200;
    static readonly MetricSeries None = new("", MetricKind.Distribution, "ms", new Dictionary<string, string>());
    volatile ConcurrentDictionary<(string, string), Spread> current = new(), before = new();

    public void Add(string method, string route, double milliseconds)
    {
        // Open connections are no answers, however they are kept open.
        if (route.StartsWith("/_blazor", StringComparison.Ordinal) || route.StartsWith("/hubs/", StringComparison.Ordinal)) return;
        var times = current;
        if (!times.TryGetValue((method, route), out var spread))
        {
            if (times.Count >= Most) return;
            spread = times.GetOrAdd((method, route), _ => new Spread(None));
        }
        spread.Add(milliseconds);
    }

    public void Turn() => (before, current) = (current, new());

    public IReadOnlyList<AddressTime> Slowest(int most)
    {
        var (one, two) = (before, current);
        return [.. one.Concat(two).GroupBy(t => t.Key, t => t.Value).Select(g => (g.Key, Times: Merge(g))).Where(a => a.Times.Count > 0)
            .Select(a => new AddressTime(a.Key.Item1, a.Key.Item2, a.Times.Count, a.Times.Percentile(0.95)!.Value)).OrderByDescending(a => a.P95).Take(most)];
    }

    static Histogram Merge(IEnumerable<Spread> spreads)
    {
        var histogram = new Histogram();
        foreach (var spread in spreads) histogram.Merge(Histogram.Between(null, spread.Read().Counts!));
        return histogram;
    }
}
