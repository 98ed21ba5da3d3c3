using System.Data;
using Npgsql;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>One moment of a database, held by a connection of its own until this is disposed: what pg_dump reads, and what is counted, are the same.</summary>
public sealed class DatabaseSnapshot : IAsyncDisposable
{
    const int SequencesAtOnce = 200;

    readonly NpgsqlConnection connection;

    DatabaseSnapshot(NpgsqlConnection connection, string name, string server, SnapshotPosition position) =>
        (this.connection, Name, Server, Position) = (connection, name, server, position);

    /// <summary>For <c>pg_dump --snapshot</c>.</summary>
    public string Name { get; }

    /// <summary>The server's version: 15.18.</summary>
    public string Server { get; }

    public SnapshotPosition Position { get; }

    public static async Task<DatabaseSnapshot> Take(string connectionString, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(connectionString);
        try
        {
            await connection.OpenAsync(ct);
            await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            // It may take hours, and names are written with their schemas. Rows that a policy hides would be missed without a word.
            await Execute(connection, """
                set transaction read only;
                select set_config(name, '0', false) from pg_catalog.pg_settings where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout');
                set row_security = off;
                set search_path = '';
                """, ct);
            await using var command = new NpgsqlCommand("""
                select pg_export_snapshot(), current_setting('server_version_num')::int, clock_timestamp(),
                       (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end)::text
                """, connection);
            await using var reader = await command.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            var version = reader.GetInt32(1);
            return new DatabaseSnapshot(connection, reader.GetString(0), $"{version / 10_000}.{version % 10_000}", new SnapshotPosition(reader.GetString(3), reader.GetFieldValue<DateTimeOffset>(2)));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everything but the sequences, which stand outside of the snapshot.</summary>
    public async Task<DatabaseContents> Count(CancellationToken ct)
    {
        var (encoding, collation, type) = (await Rows("select pg_encoding_to_char(encoding), datcollate, datctype from pg_database where datname = current_database()", r => (r.GetString(0), r.GetString(1), r.GetString(2)), ct))[0];
        var tables = new List<TableContents>();
        foreach (var (table, isHead) in await Tables(ct))
            tables.Add(isHead ? table : table with { Rows = (await Rows($"select count(*) from only {ContentsComparison.Quoted(table.Schema, table.Name)}", r => r.GetInt64(0), ct))[0] });
        return new DatabaseContents(encoding, collation, type, tables, [],
            await LargeObjects(ct),
            await Rows("select extname, extversion from pg_extension order by extname", r => new ExtensionVersion(r.GetString(0), r.GetString(1)), ct),
            await Rows(CatalogQueries.Roles, r => r.GetString(0), ct),
            await Rows(CatalogQueries.Grants, r => new RoleGrant(r.GetString(0), r.GetString(1)), ct),
            await Rows(CatalogQueries.Owners, r => new RoleOwnership(r.GetString(0), r.IsDBNull(1) ? null : r.GetString(1), r.GetString(2)), ct),
            await Rows(CatalogQueries.Settings, r => new DatabaseSetting(r.IsDBNull(0) ? null : r.GetString(0), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2)), ct));
    }

    /// <summary>Everything, of a database that nobody writes to.</summary>
    public async Task<DatabaseContents> Contents(CancellationToken ct) => await Count(ct) with { Sequences = await Sequences(ct) };

    /// <summary>Where each sequence stands just now: the last value that it gave out.</summary>
    public async Task<IReadOnlyList<SequenceContents>> Sequences(CancellationToken ct)
    {
        var known = await Rows(CatalogQueries.Sequences, r => (Schema: r.GetString(0), Name: r.GetString(1), Step: r.GetInt64(2)), ct);
        var found = new List<SequenceContents>();
        foreach (var some in known.Chunk(SequencesAtOnce))
        {
            // One that was never called gives its value next, so it stands one step before. At the ends of bigint that step does not fit.
            var each = some.Select((s, i) => $"select {i}, greatest(-9223372036854775808, least(9223372036854775807, last_value - case when is_called then 0 else {s.Step}::numeric end))::bigint from {ContentsComparison.Quoted(s.Schema, s.Name)}");
            found.AddRange(await Rows(string.Join(" union all ", each) + " order by 1", r => new SequenceContents(some[r.GetInt32(0)].Schema, some[r.GetInt32(0)].Name, r.GetInt64(1), r.GetInt64(1)), ct));
        }
        return found;
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    Task<List<(TableContents Table, bool IsHead)>> Tables(CancellationToken ct) =>
        Rows(CatalogQueries.Tables, r => (new TableContents(r.GetString(0), r.GetString(1), null, r.GetInt32(3), r.GetInt32(4)), r.GetString(2) == "p"), ct);

    async Task<LargeObjects> LargeObjects(CancellationToken ct)
    {
        var count = (await Rows("select count(*) from pg_largeobject_metadata", r => r.GetInt64(0), ct))[0];
        var mayRead = (await Rows("select has_table_privilege('pg_largeobject', 'select')", r => r.GetBoolean(0), ct))[0];
        return new(count, mayRead ? (await Rows("select coalesce(sum(length(data)), 0)::bigint from pg_largeobject", r => r.GetInt64(0), ct))[0] : null);
    }

    async Task<List<T>> Rows<T>(string sql, Func<NpgsqlDataReader, T> read, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct)) rows.Add(read(reader));
        return rows;
    }

    static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
