using Microsoft.EntityFrameworkCore;
using Portal.Domain.Metrics;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Metrics;

/// <summary>Reads series in steps, from the coarsest table that is fine enough; what that one does not hold yet comes from the finer ones, down to single results.</summary>
public static class SeriesHistory
{
    /// <summary>So many single results of a series are read at most, behind its last minute.</summary>
    const int MostResults = 5_000;

    sealed record Row(Guid Series, DateTime At, long Count, long Failed, double Sum, double Min, double Max, long[] Histogram)
    {
        public Bucket Bucket()
        {
            var histogram = Domain.Metrics.Histogram.Unpack(Histogram);
            // A single result stands for itself.
            if (Count == 1 && Histogram.Length == 0) histogram.Add(Sum);
            return new Bucket(new DateTimeOffset(At, TimeSpan.Zero), Count, Failed, Sum, Min, Max, histogram);
        }
    }

    /// <summary>Each monitor's buckets, oldest first; a step without anything has none.</summary>
    /// <param name="from">Where the first step begins: a full minute, and for hours or days (UTC) a full one of those.</param>
    /// <param name="step">Whole minutes, hours or days.</param>
    public static Task<ILookup<Guid, Bucket>> Load(PortalDbContext db, IEnumerable<Guid> monitors, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct) =>
        Load(db, monitors, from, to, step, Checks, ct);

    /// <summary>The same of <see cref="MetricSeries"/>, also in steps of ten seconds.</summary>
    public static Task<ILookup<Guid, Bucket>> LoadPoints(PortalDbContext db, IEnumerable<Guid> series, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct) =>
        Load(db, series, from, to, step, Points, ct);

    static async Task<ILookup<Guid, Bucket>> Load(PortalDbContext db, IEnumerable<Guid> series, DateTimeOffset from, DateTimeOffset to, TimeSpan step, string single, CancellationToken ct)
    {
        var ids = series.Distinct().ToArray();
        if (ids.Length == 0) return Array.Empty<Bucket>().ToLookup(_ => Guid.Empty);
        var tables = SeriesTable.RolledUp.Where(t => t.Fits(from, step)).Reverse().ToList();
        var rows = await db.Database.SqlQueryRaw<Row>(Query(tables, single), ids, from.UtcDateTime, to.UtcDateTime).ToListAsync(ct);
        return rows.GroupBy(r => (r.Series, Step: (r.At - from.UtcDateTime).Ticks / step.Ticks)).OrderBy(g => g.Key.Step)
            .ToLookup(g => g.Key.Series, g => Bucket.Merge(from + step * g.Key.Step, g.Select(r => r.Bucket())));
    }

    /// <summary>The rows behind the last minute; {after} is where it ended.</summary>
    static readonly string Checks = $$"""
        select at, good::int, (not good)::int, value, value, value, array[]::bigint[] from (
            select at, outcome = {{(int)CheckOutcome.Up}} as good, case when outcome = {{(int)CheckOutcome.Up}} then milliseconds::float8 else 0 end as value from check_results
            where monitor_id = s.id and at >= {after} and at < {2} and outcome <> {{(int)CheckOutcome.NotConfigured}} order by at desc limit {{MostResults}}) results
        """;

    static readonly string Points = $$"""
        select at, count, 0, sum, coalesce(min, sum), coalesce(max, sum), coalesce(histogram, array[]::bigint[]) from (
            select * from metric_points where series_id = s.id and at >= {after} and at < {2} order by at desc limit {{MostResults}}) points
        """;

    /// <summary>For each series: where each table ends, the coarsest first, and each table's rows from where the one before it ended.</summary>
    static string Query(List<SeriesTable> tables, string single)
    {
        var (ends, rows, after) = (new List<string> { "unnest({0}) as s(id)" }, new List<string>(), "{1}");
        foreach (var table in tables)
        {
            var name = table.Name;
            ends.Add($"lateral (select coalesce(max(at) + interval '{table.Width}', {after}) as at from {name} where series_id = s.id and at >= {after} and at < {{2}}) {name}_end");
            rows.Add($"select at, count, failed, sum, min, max, histogram from {name} where series_id = s.id and at >= {after} and at < {{2}}");
            after = $"{name}_end.at";
        }
        rows.Add($"({single.Replace("{after}", after, StringComparison.Ordinal)})");
        return $"""
            select s.id as "Series", r.at as "At", r.count as "Count", r.failed as "Failed", r.sum as "Sum", r.min as "Min", r.max as "Max", r.histogram as "Histogram"
            from {string.Join(", ", ends)}, lateral ({string.Join(" union all ", rows)}) r(at, count, failed, sum, min, max, histogram)
            """;
    }
}
