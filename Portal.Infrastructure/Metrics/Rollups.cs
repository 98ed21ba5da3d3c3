using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Portal.Domain.Metrics;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Metrics;

/// <summary>
/// Makes minutes of single results and points, hours of minutes and days of hours. Whoever stores results marks their minutes as due in the same transaction; a span is always made anew
/// from all that it holds, so that late results, a second turn and a killed node end in the same figures.
/// </summary>
public sealed class Rollups(Database database)
{
    /// <summary>Of work in the background, which may take longer than a screen would wait.</summary>
    const int CommandSeconds = 60;
    /// <summary>After its end a span rests so long, for those who come late: most results are written within a second.</summary>
    static readonly TimeSpan MinuteRests = TimeSpan.FromSeconds(5), LongerRests = TimeSpan.FromMinutes(2);
    /// <summary>A span that was over already is made anew so much later: what was late is rarely late alone.</summary>
    static readonly TimeSpan LateRests = TimeSpan.FromSeconds(10);
    /// <summary>What cannot be made does not stop the others.</summary>
    static readonly TimeSpan PushedAway = TimeSpan.FromMinutes(5);

    /// <summary>Any full day (UTC): from there on spans are counted.</summary>
    const string Origin = "timestamptz '2000-01-01 00:00:00+00'";

    static string BucketOf(string value) => string.Create(CultureInfo.InvariantCulture,
        $"case when {value} <= {Histogram.Smallest} then 0 else least({Histogram.Last}, ceil(ln({value} / {Histogram.Smallest}) / {Histogram.LogGamma:R})::int) end");

    /// <param name="Mark">Its marks bear this number.</param>
    /// <param name="AtOnce">So many spans are made at once, so that neither a thousand monitors nor ten thousand make one statement long.</param>
    sealed record Level(short Mark, SeriesTable Table, int AtOnce, string Sql, short? Next);

    /// <summary>Points have marks of their own: a node of an older version, which knows only those of results, leaves them alone.</summary>
    const short ResultMinutes = 0, HourMarks = 1, DayMarks = 2, PointMinutes = 3;

    static readonly Level[] Levels =
    [
        new(ResultMinutes, SeriesTable.Minutes, 30, FromChecks, HourMarks), new(PointMinutes, SeriesTable.Minutes, 30, FromPoints, HourMarks),
        new(HourMarks, SeriesTable.Hours, 6, FromFiner(SeriesTable.Minutes, SeriesTable.Hours), DayMarks), new(DayMarks, SeriesTable.Days, 7, FromFiner(SeriesTable.Hours, SeriesTable.Days), null),
    ];

    static Level Of(short mark) => Levels.First(l => l.Mark == mark);

    /// <summary>Marks minutes as due, in the transaction that stores their results. Last in it: the marks are shared by all nodes.</summary>
    public static Task Mark(NpgsqlConnection connection, IEnumerable<DateTimeOffset> results, CancellationToken ct) => Mark(connection, ResultMinutes, results, MinuteRests, DateTimeOffset.MinValue, ct);

    /// <summary>The same for points.</summary>
    public static Task MarkPoints(NpgsqlConnection connection, IEnumerable<DateTimeOffset> points, CancellationToken ct) => Mark(connection, PointMinutes, points, MinuteRests, DateTimeOffset.MinValue, ct);

    /// <summary>Stores hours of which there are no results, and marks their days.</summary>
    internal static async Task Plant(NpgsqlConnection connection, IEnumerable<(Guid Series, Bucket Hour)> hours, CancellationToken ct)
    {
        var days = new HashSet<DateTimeOffset>();
        await using (var copy = await connection.BeginBinaryImportAsync("copy metric_hours (series_id, at, count, failed, sum, min, max, histogram) from stdin (format binary)", ct))
        {
            foreach (var (series, hour) in hours)
            {
                await copy.StartRowAsync(ct);
                await copy.WriteAsync(series, NpgsqlDbType.Uuid, ct);
                await copy.WriteAsync(hour.At.ToUniversalTime(), NpgsqlDbType.TimestampTz, ct);
                foreach (var number in new[] { hour.Count, hour.Failed }) await copy.WriteAsync(number, NpgsqlDbType.Bigint, ct);
                foreach (var number in new[] { hour.Sum, hour.Min, hour.Max }) await copy.WriteAsync(number, NpgsqlDbType.Double, ct);
                await copy.WriteAsync(hour.Histogram.Pack(), NpgsqlDbType.Array | NpgsqlDbType.Bigint, ct);
                days.Add(hour.At.UtcDateTime.Date);
            }
            await copy.CompleteAsync(ct);
        }
        await Mark(connection, DayMarks, days, LongerRests, DateTimeOffset.MinValue, ct);
    }

    static async Task Mark(NpgsqlConnection connection, short mark, IEnumerable<DateTimeOffset> times, TimeSpan rests, DateTimeOffset notBefore, CancellationToken ct)
    {
        var width = Of(mark).Table.Width;
        // An update even of an equal mark: its lock keeps the span from being made before this transaction has ended. In order, so that two nodes cannot wait for each other.
        await using var command = new NpgsqlCommand("""
            insert into rollups_due (width, at, ready_at) select $1, at, greatest(at + $3, $4) from unnest($2) as m(at) order by at
            on conflict (width, at) do update set ready_at = excluded.ready_at
            """, connection);
        command.Parameters.Add(new() { Value = mark });
        command.Parameters.Add(new() { Value = times.Select(at => new DateTime(at.UtcTicks - at.UtcTicks % width.Ticks, DateTimeKind.Utc)).Distinct().ToArray() });
        command.Parameters.Add(new() { Value = width + rests });
        command.Parameters.Add(new() { Value = notBefore.UtcDateTime });
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Makes all that is ready.</summary>
    /// <returns>How many spans.</returns>
    public async Task<int> Make(DateTimeOffset now, Action<Exception> failed, CancellationToken ct)
    {
        var made = 0;
        foreach (var level in Levels)
            while (await Some(level, now, failed, ct) is > 0 and var some) made += some;
        return made;
    }

    /// <summary>Spans that wait although they are ready.</summary>
    public async Task<long> Waiting(DateTimeOffset now, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select count(*) from rollups_due where ready_at <= $1");
        command.Parameters.Add(new() { Value = now.UtcDateTime });
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    async Task<int> Some(Level level, DateTimeOffset now, Action<Exception> failed, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await IdleLimit.Set(connection, ct);
        var due = await Claim(connection, level, now, ct);
        if (due.Length == 0) return 0;
        await transaction.SaveAsync("claimed", ct);
        try
        {
            await RollUp(connection, level, due, ct);
            if (level.Next is { } next) await Mark(connection, next, due.Select(at => new DateTimeOffset(at)), LongerRests, now + LateRests, ct);
            await Settle(connection, "delete from rollups_due where width = $1 and at = any($2)", level, due, ct);
        }
        catch (PostgresException e) when (e.SqlState is not (PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown))
        {
            failed(e);
            await transaction.RollbackAsync("claimed", ct);
            await Settle(connection, $"update rollups_due set ready_at = '{now.UtcDateTime + PushedAway:O}' where width = $1 and at = any($2)", level, due, ct);
        }
        await transaction.CommitAsync(ct);
        return due.Length;
    }

    static async Task<DateTime[]> Claim(NpgsqlConnection connection, Level level, DateTimeOffset now, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"select at from rollups_due where width = $1 and ready_at <= $2 order by at limit {level.AtOnce} for update skip locked", connection);
        command.Parameters.Add(new() { Value = level.Mark });
        command.Parameters.Add(new() { Value = now.UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var due = new List<DateTime>();
        while (await reader.ReadAsync(ct)) due.Add(reader.GetDateTime(0));
        // They are read in one go from the first to the last: what lies far behind is left for the next turn.
        return [.. due.TakeWhile(at => at < due[0] + level.AtOnce * level.Table.Width)];
    }

    static async Task RollUp(NpgsqlConnection connection, Level level, DateTime[] due, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(level.Sql, connection) { CommandTimeout = CommandSeconds };
        command.Parameters.Add(new() { Value = due });
        command.Parameters.Add(new() { Value = level.Table.Width });
        command.Parameters.Add(new() { Value = due[0] });
        command.Parameters.Add(new() { Value = due[^1] + level.Table.Width });
        await command.ExecuteNonQueryAsync(ct);
    }

    static string FromChecks => $"""
        with found as (
            select monitor_id as series_id, date_bin($2, at, {Origin}) as at, case when outcome = 0 then {BucketOf("milliseconds::float8")} end as bucket, milliseconds::float8 as value
            from check_results where at >= $3 and at < $4 and outcome <> 2 and date_bin($2, at, {Origin}) = any($1)),
        parts as (
            select series_id, at, bucket, count(*) filter (where bucket is not null) as count, count(*) filter (where bucket is null) as failed,
                sum(value) filter (where bucket is not null) as sum, min(value) filter (where bucket is not null) as min, max(value) filter (where bucket is not null) as max, count(*) as n
            from found group by 1, 2, 3)
        {Into(SeriesTable.Minutes)}
        """;

    static string FromPoints => FromFiner(
        $"(select series_id, at, count, 0 as failed, sum, coalesce(min, sum) as min, coalesce(max, sum) as max, coalesce(histogram, array[({BucketOf("sum")})::bigint << 40 | 1]) as histogram from metric_points) points", SeriesTable.Minutes);

    static string FromFiner(SeriesTable finer, SeriesTable coarser) => FromFiner(finer.Name, coarser);

    static string FromFiner(string finer, SeriesTable coarser) => $"""
        with found as (
            select series_id, date_bin($2, at, {Origin}) as at, count, failed, sum, min, max, histogram
            from {finer} where at >= $3 and at < $4 and date_bin($2, at, {Origin}) = any($1)),
        parts as (
            select series_id, at, e >> 40 as bucket, 0::bigint as count, 0::bigint as failed, 0::float8 as sum, null::float8 as min, null::float8 as max, sum(e & 1099511627775)::bigint as n
            from found, unnest(histogram) e group by 1, 2, 3
            union all
            select series_id, at, null, sum(count)::bigint, sum(failed)::bigint, sum(sum), min(min) filter (where count > 0), max(max) filter (where count > 0), 0
            from found group by 1, 2)
        {Into(coarser)}
        """;

    /// <summary>From parts with and without a bucket of the histogram, which are summed up in one go: with a join between them a planner that knows nothing yet of the newest results would compare each series with each other one.</summary>
    static string Into(SeriesTable table) => $"""
        insert into {table.Name} (series_id, at, count, failed, sum, min, max, histogram)
        select series_id, at, sum(count)::bigint, sum(failed)::bigint, coalesce(sum(sum), 0), coalesce(min(min), 0), coalesce(max(max), 0),
            coalesce(array_agg(bucket::bigint << 40 | n order by bucket) filter (where bucket is not null), '{"{}"}')
        from parts group by 1, 2
        on conflict (series_id, at) do update set count = excluded.count, failed = excluded.failed, sum = excluded.sum, min = excluded.min, max = excluded.max, histogram = excluded.histogram
        """;

    static async Task Settle(NpgsqlConnection connection, string sql, Level level, DateTime[] due, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = level.Mark });
        command.Parameters.Add(new() { Value = due });
        await command.ExecuteNonQueryAsync(ct);
    }
}
