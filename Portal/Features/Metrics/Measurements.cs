using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Metrics;

/// <summary>What series did over a span of time, from the coarsest level that fits the step: days, hours, minutes, or points of ten seconds.</summary>
public sealed class Measurements(IDbContextFactory<PortalDbContext> contexts)
{
    /// <summary>More series than these, of many nodes that came and went, are not read at once; the latest are.</summary>
    const int MostSeries = 500;

    sealed record Row(Guid Id, string Name, short Kind, string Unit, string Labels);

    /// <param name="span">From a full step on.</param>
    /// <param name="step">Ten seconds, or whole minutes, hours or days.</param>
    public async Task<Measured> Load(IEnumerable<string> names, Interval span, TimeSpan step, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var (wanted, from, to) = (names.Distinct().ToArray(), span.From.UtcDateTime - PointStore.SeenEvery * 2, span.To.UtcDateTime);
        var found = await db.Database.SqlQuery<Row>($"""
            select id as "Id", name as "Name", kind as "Kind", unit as "Unit", labels::text as "Labels" from metric_series
            where name = any({wanted}) and seen_at >= {from} and first_at < {to} order by seen_at desc limit {MostSeries}
            """).ToListAsync(ct);
        var buckets = await SeriesHistory.LoadPoints(db, found.Select(r => r.Id), span.From, span.To, step, ct);
        return new Measured(step, [.. found.Select(r => new MeasuredSeries(
            new MetricSeries(r.Name, (MetricKind)r.Kind, r.Unit, JsonSerializer.Deserialize<Dictionary<string, string>>(r.Labels, JsonSerializerOptions.Default)!), [.. buckets[r.Id]]))]);
    }
}

/// <param name="Buckets">Oldest first; a step in which nobody measured has none.</param>
public sealed record MeasuredSeries(MetricSeries Series, IReadOnlyList<Bucket> Buckets)
{
    public string? Node => Series.Labels.GetValueOrDefault(MetricSeries.Node);
}

/// <summary>Several nodes' series, merged as their kind asks for. Steps in which nobody measured are left out.</summary>
public sealed record Measured(TimeSpan Step, IReadOnlyList<MeasuredSeries> Series)
{
    /// <summary>A counter of all nodes together, by step.</summary>
    public IReadOnlyDictionary<DateTimeOffset, double> Count(string name, params (string Name, string Value)[] labels) =>
        Merge(name, labels, buckets => buckets.Sum(b => b.Sum));

    /// <summary>A gauge of all nodes together: the sum of their averages.</summary>
    public IReadOnlyDictionary<DateTimeOffset, double> Total(string name, params (string Name, string Value)[] labels) =>
        Merge(name, labels, buckets => buckets.Sum(b => b.Average ?? 0));

    /// <summary>A distribution over all nodes.</summary>
    public IReadOnlyDictionary<DateTimeOffset, Bucket> Distribution(string name, params (string Name, string Value)[] labels) =>
        Merge(name, labels, buckets => Bucket.Merge(buckets.Key, buckets));

    Dictionary<DateTimeOffset, T> Merge<T>(string name, (string Name, string Value)[] labels, Func<IGrouping<DateTimeOffset, Bucket>, T> merge) =>
        Series.Where(s => s.Series.Name == name && labels.All(l => s.Series.Labels.GetValueOrDefault(l.Name) == l.Value))
            .SelectMany(s => s.Buckets).GroupBy(b => b.At).OrderBy(g => g.Key).ToDictionary(g => g.Key, merge);
}
