using Npgsql;

namespace Portal.Infrastructure.Metrics;

/// <summary>
/// Makes the partitions of the days ahead and drops those whose time is over, which costs the same however much is in them.
/// Nothing depends on its being on time: without a partition rows go to the rest of their table, from which they are deleted one by one.
/// </summary>
public sealed class Partitions(Persistence.Database database)
{
    /// <summary>Any number that nothing else in this database locks.</summary>
    const long Lock = 0x706F72746974;
    const int RowsAtOnce = 5_000;
    /// <summary>Who reads a table for longer keeps us from our turn, not others from theirs.</summary>
    const string Gently = "set local lock_timeout = '2s'";

    /// <summary>How far the database's clock lies behind (or, negative, before) a time: what deletes by a clock that is wrong deletes everything.</summary>
    public async Task<TimeSpan> ClockDifference(DateTimeOffset now, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select clock_timestamp()");
        return now - new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(ct))!);
    }

    public async Task MakeAhead(DateTimeOffset now, CancellationToken ct)
    {
        foreach (var table in SeriesTable.Partitioned)
            foreach (var (name, from, to) in table.Ahead(now))
                await Make(table, name, from, to, ct);
    }

    /// <summary>Drops what is older than it is kept.</summary>
    /// <returns>What was dropped, by name.</returns>
    public async Task<IReadOnlyList<string>> Retire(DateTimeOffset now, CancellationToken ct)
    {
        var dropped = new List<string>();
        foreach (var table in SeriesTable.Partitioned)
        {
            var before = now - table.Keep!.Value;
            foreach (var old in await Older(table, before, ct))
            {
                await Locked($"drop table if exists {old}", ct);
                dropped.Add(old);
            }
            while (await DeleteRest(table, before, ct) == RowsAtOnce) { }
        }
        return dropped;
    }

    async Task Make(SeriesTable table, string name, DateTime from, DateTime to, CancellationToken ct)
    {
        await using var check = database.Source.CreateCommand($"select to_regclass('{name}') is null and not exists (select from {table.Rest} where at >= $1 and at < $2)");
        check.Parameters.Add(new() { Value = from });
        check.Parameters.Add(new() { Value = to });
        // What lies in the rest already is left there, until it is over: moving a day of results would stop their writers.
        if (await check.ExecuteScalarAsync(ct) is not true) return;
        try
        {
            await Locked($"create table if not exists {name} partition of {table.Name} for values from ('{from:yyyy-MM-dd} 00:00+00') to ('{to:yyyy-MM-dd} 00:00+00')", ct);
        }
        // A row came in between.
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CheckViolation) { }
    }

    async Task<List<string>> Older(SeriesTable table, DateTimeOffset before, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = $1::regclass and substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz <= $2 order by 1
            """);
        command.Parameters.Add(new() { Value = table.Name });
        command.Parameters.Add(new() { Value = before.UtcDateTime });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var names = new List<string>();
        while (await reader.ReadAsync(ct)) names.Add(reader.GetString(0));
        return names;
    }

    async Task<int> DeleteRest(SeriesTable table, DateTimeOffset before, CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand($"delete from {table.Rest} where ctid = any(array(select ctid from {table.Rest} where at < $1 limit {RowsAtOnce}))");
        command.Parameters.Add(new() { Value = before.UtcDateTime });
        return await command.ExecuteNonQueryAsync(ct);
    }

    async Task Locked(string sql, CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await Persistence.IdleLimit.Set(connection, ct);
        await using var command = new NpgsqlCommand($"{Gently}; select pg_advisory_xact_lock({Lock}); {sql}", connection);
        await command.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
