using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Metrics;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Metrics;

/// <summary>Writes points of series, which it makes known when it first meets them. For one writer at a time.</summary>
public sealed class PointStore(Database database, TimeProvider clock)
{
    /// <summary>A series says so often that it still lives; whoever looks for those of a time allows for it.</summary>
    public static readonly TimeSpan SeenEvery = TimeSpan.FromMinutes(10);
    readonly Dictionary<MetricSeries, (Guid Id, DateTimeOffset Seen)> known = new(ReferenceEqualityComparer.Instance);

    public async Task Store(IReadOnlyList<MetricPoint> points, CancellationToken ct)
    {
        if (points.Count == 0) return;
        try
        {
            await Store(points, Copy, ct);
        }
        // Our own points, whose commit was not confirmed before the connection broke.
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            await Store(points, InsertNew, ct);
        }
    }

    async Task Store(IReadOnlyList<MetricPoint> points, Func<NpgsqlConnection, IReadOnlyList<MetricPoint>, CancellationToken, Task> write, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await MakeKnown(connection, points, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdleLimit.Set(connection, ct);
        await write(connection, points, ct);
        await Rollups.MarkPoints(connection, points.Select(p => p.At), ct);
        await transaction.CommitAsync(ct);
    }

    async Task MakeKnown(NpgsqlConnection connection, IReadOnlyList<MetricPoint> points, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var told = points.GroupBy(p => p.Series).Select(g => (Series: g.Key, First: g.Min(p => p.At), Last: g.Max(p => p.At)))
            .Where(s => !known.TryGetValue(s.Series, out var it) || s.Last - it.Seen >= SeenEvery).ToList();
        if (told.Count == 0) return;
        await using var command = new NpgsqlCommand("""
            with told as (select * from unnest($1, $2, $3, $4, $5, $6, $7) with ordinality as t(id, name, labels, unit, kind, first_at, seen_at, n)),
            made as (
                insert into metric_series (id, name, labels, unit, kind, first_at, seen_at) select id, name, labels, unit, kind, first_at, seen_at from told
                on conflict (name, labels) do update set first_at = least(metric_series.first_at, excluded.first_at), seen_at = greatest(metric_series.seen_at, excluded.seen_at)
                returning id, name, labels)
            select made.id, told.n from made join told using (name, labels)
            """, connection);
        Add(command, NpgsqlDbType.Uuid, told.Select(_ => Guid.CreateVersion7(now)));
        Add(command, NpgsqlDbType.Text, told.Select(s => s.Series.Name));
        Add(command, NpgsqlDbType.Jsonb, told.Select(s => JsonSerializer.Serialize(s.Series.Labels, JsonSerializerOptions.Default)));
        Add(command, NpgsqlDbType.Text, told.Select(s => s.Series.Unit));
        Add(command, NpgsqlDbType.Smallint, told.Select(s => (short)s.Series.Kind));
        Add(command, NpgsqlDbType.TimestampTz, told.Select(s => s.First.ToUniversalTime()));
        Add(command, NpgsqlDbType.TimestampTz, told.Select(s => s.Last.ToUniversalTime()));
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct)) known[told[(int)reader.GetInt64(1) - 1].Series] = (reader.GetGuid(0), told[(int)reader.GetInt64(1) - 1].Last);
    }

    async Task Copy(NpgsqlConnection connection, IReadOnlyList<MetricPoint> points, CancellationToken ct)
    {
        await using var copy = await connection.BeginBinaryImportAsync("copy metric_points (series_id, at, count, sum, min, max, histogram) from stdin (format binary)", ct);
        foreach (var point in points)
        {
            await copy.StartRowAsync(ct);
            await copy.WriteAsync(known[point.Series].Id, NpgsqlDbType.Uuid, ct);
            await copy.WriteAsync(point.At.ToUniversalTime(), NpgsqlDbType.TimestampTz, ct);
            await copy.WriteAsync(point.Count, NpgsqlDbType.Bigint, ct);
            await copy.WriteAsync(point.Sum, NpgsqlDbType.Double, ct);
            if (point.Histogram is { } histogram)
            {
                await copy.WriteAsync(histogram.Range.Min, NpgsqlDbType.Double, ct);
                await copy.WriteAsync(histogram.Range.Max, NpgsqlDbType.Double, ct);
                await copy.WriteAsync(histogram.Pack(), NpgsqlDbType.Array | NpgsqlDbType.Bigint, ct);
            }
            else for (var i = 0; i < 3; i++) await copy.WriteNullAsync(ct);
        }
        await copy.CompleteAsync(ct);
    }

    async Task InsertNew(NpgsqlConnection connection, IReadOnlyList<MetricPoint> points, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var point in points)
        {
            var range = point.Histogram?.Range;
            batch.BatchCommands.Add(new NpgsqlBatchCommand("insert into metric_points (series_id, at, count, sum, min, max, histogram) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing")
            {
                Parameters =
                {
                    new() { Value = known[point.Series].Id }, new() { Value = point.At.UtcDateTime }, new() { Value = point.Count }, new() { Value = point.Sum },
                    new() { NpgsqlDbType = NpgsqlDbType.Double, Value = (object?)range?.Min ?? DBNull.Value }, new() { NpgsqlDbType = NpgsqlDbType.Double, Value = (object?)range?.Max ?? DBNull.Value },
                    new() { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint, Value = (object?)point.Histogram?.Pack() ?? DBNull.Value },
                },
            });
        }
        await batch.ExecuteNonQueryAsync(ct);
    }

    static void Add<T>(NpgsqlCommand command, NpgsqlDbType type, IEnumerable<T> values) =>
        command.Parameters.Add(new() { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values.ToArray() });
}
