using System.Globalization;
using Portal.Domain.Alerting;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Features.Metrics;

namespace Portal.Features.Alerting;

/// <summary>One figure that a rule can watch.</summary>
/// <param name="Title">At the beginning of a sentence.</param>
/// <param name="Series">The stored series that it is made of; the first one tells whether anything was measured.</param>
/// <param name="Read">Its value over all steps that were read; null where too little was measured.</param>
/// <param name="IsShare">A share of bad requests in percent: what a burn rate can be of.</param>
public sealed record RuleFigure(string Name, string Title, string Unit, IReadOnlyList<string> Series, Func<Measured, double?> Read, bool IsShare = false)
{
    /// <summary>"12.4 %", "3,000 ms", "11".</summary>
    public string InWords(double value) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, Math.Abs(value) < 10 ? 2 : 1):#,0.##}{(Unit.Length == 0 ? "" : $" {Unit}")}");
}

/// <summary>The figures that rules know, and what they came to over a window.</summary>
public sealed class RuleFigures(Measurements measurements)
{
    /// <summary>Fewer requests than these within the window have no error rate: a few failed calls at night, or the portal's own looks at a part that is down, are no outage of all.</summary>
    public const int LeastRequests = 100;
    /// <summary>A window is read in so many steps, of which at least two must hold something: what is known of one moment says nothing about ten minutes.</summary>
    const int Steps = 6, LeastSteps = 2;
    static readonly TimeSpan Point = TimeSpan.FromSeconds(10), Minute = TimeSpan.FromMinutes(1);

    public static IReadOnlyList<RuleFigure> All { get; } =
    [
        new("error-rate", "Error rate", "%", [MetricNames.Requests], ErrorRate, IsShare: true),
        new("response-time", "Average response time", "ms", [MetricNames.RequestTime], m => Whole(m, MetricNames.RequestTime).Average),
        new("response-time-p95", "Response time, 95th percentile", "ms", [MetricNames.RequestTime], m => Whole(m, MetricNames.RequestTime).Percentile(0.95)),
        new("requests", "Requests", "", [MetricNames.Requests], Requests),
        new("database-errors", "Database errors", "", [MetricNames.QueryErrors], m => Sum(m, MetricNames.QueryErrors)),
        new("query-time", "Average query time", "ms", [MetricNames.QueryTime], m => Whole(m, MetricNames.QueryTime).Average),
        new("check-lag", "Lateness of checks, 95th percentile", "ms", [MetricNames.CheckLag], m => Whole(m, MetricNames.CheckLag).Percentile(0.95)),
        new("outbox", "Waiting reactions", "", [MetricNames.Queue], m => Level(m, MetricNames.Queue, ("what", "outbox"))),
        new("results", "Check results that wait to be written", "", [MetricNames.Queue], m => Level(m, MetricNames.Queue, ("what", "results"))),
        new("cache-hit-rate", "Cache hit rate", "%", [MetricNames.Cache], HitRate),
        new("cpu", "Processor", "%", [MetricNames.Processor], m => m.Series.SelectMany(s => s.Buckets).Select(b => b.Average).Max()),
    ];

    static readonly Dictionary<string, RuleFigure> ByName = All.ToDictionary(f => f.Name);

    /// <summary>Any other stored series, by its own name: a counter's sum, a gauge's or a distribution's average.</summary>
    public static RuleFigure Find(string name) => ByName.GetValueOrDefault(name) ?? new(name, name, "", [name], m => Other(m, name));

    /// <summary>What each condition's windows came to, up to now.</summary>
    /// <remarks>One query for each length of window, however many rules there are.</remarks>
    public async Task<IReadOnlyDictionary<RuleCondition, RuleReading>> Load(IReadOnlyCollection<RuleCondition> conditions, DateTimeOffset now, CancellationToken ct)
    {
        var windows = conditions.SelectMany(c => new[] { (Minutes: c.WindowMinutes, c.Figure), (Minutes: c.ShortMinutes ?? c.WindowMinutes, c.Figure) }).ToLookup(w => w.Minutes, w => Find(w.Figure!));
        var measured = new Dictionary<int, Measured>();
        foreach (var window in windows) measured[window.Key] = await Load(window.SelectMany(f => f.Series), window.Key, now, ct);
        return conditions.Distinct().ToDictionary(c => c, c => Reading(c, measured[c.WindowMinutes], measured[c.ShortMinutes ?? c.WindowMinutes]));
    }

    public static RuleReading Reading(RuleCondition condition, Measured window, Measured shorter)
    {
        var figure = Find(condition.Figure!);
        var own = Of(window, figure);
        return new(Value(own, figure), condition.ShortMinutes is null ? null : Value(Of(shorter, figure), figure), own.Series.Any(s => s.Buckets.Any(b => b.Count > 0)));
    }

    Task<Measured> Load(IEnumerable<string> series, int minutes, DateTimeOffset now, CancellationToken ct)
    {
        // Up to an hour from points of ten seconds; longer ones from whole minutes.
        var unit = minutes <= 60 ? Point : Minute;
        var to = new DateTimeOffset(now.UtcTicks - now.UtcTicks % unit.Ticks, TimeSpan.Zero);
        var step = TimeSpan.FromTicks(Math.Max(unit.Ticks, TimeSpan.FromMinutes(minutes).Ticks / Steps / unit.Ticks * unit.Ticks));
        return measurements.Load(series, new Interval(to.AddMinutes(-minutes), to), step, ct);
    }

    static Measured Of(Measured all, RuleFigure figure) => all with { Series = [.. all.Series.Where(s => figure.Series.Contains(s.Series.Name))] };

    static double? Value(Measured measured, RuleFigure figure) =>
        measured.Series.Where(s => s.Series.Name == figure.Series[0]).SelectMany(s => s.Buckets).Where(b => b.Count > 0).Select(b => b.At).Distinct().Take(LeastSteps).Count() < LeastSteps ? null : figure.Read(measured);

    static double? Sum(Measured m, string name, params (string Name, string Value)[] labels) => m.Count(name, labels) is { Count: > 0 } steps ? steps.Values.Sum() : null;

    static double? Requests(Measured m) => Sum(m, MetricNames.Requests) - (Sum(m, MetricNames.Requests, ("status", "1xx")) ?? 0);

    static double? ErrorRate(Measured m) => Requests(m) is >= LeastRequests and var all ? 100 * (Sum(m, MetricNames.Requests, ("status", "5xx")) ?? 0) / all : null;

    static double? HitRate(Measured m)
    {
        var (hits, misses) = (Sum(m, MetricNames.Cache, ("result", "hit")) ?? 0, Sum(m, MetricNames.Cache, ("result", "miss")) ?? 0);
        return hits + misses >= LeastRequests ? 100 * hits / (hits + misses) : null;
    }

    static double? Level(Measured m, string name, params (string Name, string Value)[] labels) => m.Total(name, labels) is { Count: > 0 } steps ? steps.Values.Average() : null;

    static Bucket Whole(Measured m, string name) => Bucket.Merge(default, m.Series.Where(s => s.Series.Name == name).SelectMany(s => s.Buckets));

    static double? Other(Measured m, string name) => m.Series.FirstOrDefault(s => s.Series.Name == name)?.Series.Kind switch
    {
        null => null,
        MetricKind.Counter => Sum(m, name),
        MetricKind.Gauge => Level(m, name),
        _ => Whole(m, name).Average,
    };
}
