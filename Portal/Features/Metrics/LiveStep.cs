using Portal.Domain.Metrics;

namespace Portal.Features.Metrics;

/// <summary>What happened in a short time, on one node or several.</summary>
/// <param name="Requests">Answered ones; connections that were upgraded are none.</param>
/// <param name="Errors">Those of them that were answered by 5xx.</param>
sealed record LiveStep(DateTimeOffset At, TimeSpan Length, double Requests, double Errors, double Checks, Histogram Times)
{
    public DateTimeOffset End => At + Length;

    public static LiveStep Of(DateTimeOffset at, TimeSpan length, IEnumerable<MetricPoint> points)
    {
        var (requests, errors, checks, times) = (0.0, 0.0, 0.0, new Histogram());
        foreach (var point in points)
            switch (point.Series.Name)
            {
                case MetricNames.Requests when point.Series.Labels["status"] is var status && status != "1xx":
                    requests += point.Sum;
                    if (status == "5xx") errors += point.Sum;
                    break;
                case MetricNames.Checks: checks += point.Sum; break;
                case MetricNames.RequestTime: times.Merge(point.Histogram!); break;
                default: break;
            }
        return new LiveStep(at, length, requests, errors, checks, times);
    }

    /// <summary>Stored steps of some nodes, oldest first.</summary>
    public static IReadOnlyList<LiveStep> Of(Measured measured, Func<string?, bool> node)
    {
        var some = measured with { Series = [.. measured.Series.Where(s => node(s.Node))] };
        var (requests, errors, upgraded) = (some.Count(MetricNames.Requests), some.Count(MetricNames.Requests, ("status", "5xx")), some.Count(MetricNames.Requests, ("status", "1xx")));
        var (checks, times) = (some.Count(MetricNames.Checks), some.Distribution(MetricNames.RequestTime));
        return [.. requests.Select(r => new LiveStep(r.Key, some.Step, r.Value - upgraded.GetValueOrDefault(r.Key), errors.GetValueOrDefault(r.Key), checks.GetValueOrDefault(r.Key),
            times.GetValueOrDefault(r.Key)?.Histogram ?? new Histogram()))];
    }
}

/// <summary>One instant of the chart: the ten seconds before it. Null where nothing was measured, or nothing was answered.</summary>
public sealed record LivePoint(DateTimeOffset At, double? P95, double? Median, double? RequestsPerSecond, double? ErrorsPerSecond, double? ChecksPerSecond);

/// <summary>What one minute of the chart came to, for its table.</summary>
public sealed record LiveMinute(DateTimeOffset At, double Requests, double Errors, double? Median, double? P95, double Checks);

/// <summary>The whole installation over the last quarter of an hour and, as figures, the last minute.</summary>
/// <param name="Points">Oldest first; a bounded window.</param>
/// <param name="Minutes">Oldest first.</param>
public sealed record LiveView(IReadOnlyList<LivePoint> Points, IReadOnlyList<LiveMinute> Minutes, double? P95, double Requests, double Errors, double ChecksPerSecond)
{
    public static readonly LiveView Empty = new([], [], null, 0, 0, 0);

    /// <summary>Null where nothing was asked.</summary>
    public double? ErrorShare => Requests > 0 ? Errors / Requests : null;
}
