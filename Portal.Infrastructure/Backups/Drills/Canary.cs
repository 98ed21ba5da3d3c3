using Npgsql;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>A row that was written into a database only to be found again in a restored copy.</summary>
/// <param name="At">By the database's clock.</param>
/// <param name="Wal">The position in the write-ahead log as it was written.</param>
public sealed record CanaryBeat(long Id, DateTimeOffset At, string Wal);

/// <summary>A row that is written every 15 s into a database whose owner consented; the newest one that a restored copy holds says how far the restore reached.</summary>
public sealed class Canary(string connectionString)
{
    public const string Schema = "portal_canary";
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(15);
    /// <summary>So many rows are kept: four hours.</summary>
    public const int Kept = 960;

    /// <summary>However many nodes write, there is one beat in this time.</summary>
    const string Apart = "12 seconds";

    readonly string way = new NpgsqlConnectionStringBuilder(PostgresSource.OneServer(connectionString).ConnectionString) { CommandTimeout = 10, ApplicationName = "portal canary" }.ConnectionString;

    /// <summary>Writes a beat, unless there was one just now; makes its table where it is missing.</summary>
    /// <param name="mayPrepare">Asked before its table is made: a consent may have been withdrawn a moment ago. Null makes it.</param>
    /// <exception cref="BackupFailedException">Refused or Passing, in words; so with the others.</exception>
    public Task Beat(CancellationToken ct, Func<Task<bool>>? mayPrepare = null) => Through(way, async connection =>
    {
        try
        {
            await Write(connection, ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            if (mayPrepare is not null && !await mayPrepare()) return false;
            await Prepare(connection, ct);
            await Write(connection, ct);
        }
        return true;
    }, ct);

    /// <summary>Takes the schema away again.</summary>
    public Task Leave(CancellationToken ct) => Through(way, async connection =>
    {
        await Execute(connection, $"drop schema if exists {Schema} cascade", ct);
        return true;
    }, ct);

    /// <summary>The database's own time: a failure is dated by it, so that no other clock is in the figure.</summary>
    public Task<DateTimeOffset> Now(CancellationToken ct) => Through(way, async connection =>
    {
        await using var command = new NpgsqlCommand("select clock_timestamp()", connection);
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(ct))!);
    }, ct);

    /// <summary>The newest beat that a database holds; null where no canary was ever written.</summary>
    public static Task<CanaryBeat?> Newest(string restored, CancellationToken ct) => Through(restored, async connection =>
    {
        await using (var exists = new NpgsqlCommand($"select to_regclass('{Schema}.beats') is not null", connection))
            if (!(bool)(await exists.ExecuteScalarAsync(ct))!) return null;
        await using var command = new NpgsqlCommand($"select id, at, lsn::text from {Schema}.beats order by id desc limit 1", connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new CanaryBeat(reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2)) : null;
    }, ct);

    /// <summary>Whether a beat tells how far a restore reaches: one that was written all the time has a beat shortly before the snapshot, and none is of later than the failure.</summary>
    public static bool IsBelievable(CanaryBeat beat, SnapshotPosition snapshot, DateTimeOffset failedAt) => (beat.At - snapshot.TakenAt).Duration() <= Gap && beat.At <= failedAt;

    /// <summary>Four beats: a database that was too busy for so long is not the rule.</summary>
    static readonly TimeSpan Gap = TimeSpan.FromMinutes(1);

    static async Task<T> Through<T>(string way, Func<NpgsqlConnection, Task<T>> work, CancellationToken ct)
    {
        try
        {
            await using var connection = new NpgsqlConnection(way);
            await connection.OpenAsync(ct);
            return await work(connection);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"The user {new NpgsqlConnectionStringBuilder(way).Username} may not make the schema {Schema} or write to it ({e.MessageText}).", e);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw PostgresSource.Failed(new NpgsqlConnectionStringBuilder(way), e);
        }
    }

    static async Task Prepare(NpgsqlConnection connection, CancellationToken ct) => await Execute(connection, $"""
        select pg_advisory_xact_lock(hashtext('{Schema}'));
        create schema if not exists {Schema};
        create table if not exists {Schema}.beats (id bigserial primary key, at timestamptz not null, lsn pg_lsn not null);
        comment on schema {Schema} is 'Written by the portal every 15 seconds, to measure how far a restore reaches. It may be dropped.';
        """, ct);

    static Task Write(NpgsqlConnection connection, CancellationToken ct) => Execute(connection, $"""
        insert into {Schema}.beats (at, lsn) select clock_timestamp(), pg_current_wal_lsn()
            where not exists (select from {Schema}.beats where id > (select max(id) - 10 from {Schema}.beats) and at > clock_timestamp() - interval '{Apart}');
        delete from {Schema}.beats where id <= (select max(id) from {Schema}.beats) - {Kept};
        """, ct);

    static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
