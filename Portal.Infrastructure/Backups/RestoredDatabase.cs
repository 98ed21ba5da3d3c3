using Npgsql;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>A server on which a database is restored under a name of its own, and gets its final name when it is whole. While this is held no other portal restores that name there.</summary>
public sealed class RestoredDatabase : IAsyncDisposable
{
    /// <summary>"PORT": which of the server's advisory locks are ours.</summary>
    const int LockSpace = 0x504F5254;
    const int Tries = 10;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    readonly NpgsqlConnection connection;
    readonly string way, final;
    readonly TimeProvider clock;

    RestoredDatabase(NpgsqlConnection connection, string way, string final, TimeProvider clock) => (this.connection, this.way, this.final, this.clock) = (connection, way, final, clock);

    /// <summary>The way to the server by a database that is there, whatever became of the one that is restored. With the password, which an open connection does not say any more.</summary>
    public string Server => new NpgsqlConnectionStringBuilder(way) { Database = connection.Database }.ConnectionString;

    /// <param name="way">To the server; the database that it names need not exist.</param>
    /// <param name="final">The name that the restored one shall have.</param>
    /// <exception cref="BackupFailedException">Refused where another restore has that name, Passing where the server is away.</exception>
    public static async Task<RestoredDatabase> Claim(string way, string final, TimeProvider clock, CancellationToken ct)
    {
        var connection = await Connect(PostgresSource.OneServer(way), ct);
        try
        {
            await using var command = new NpgsqlCommand("select pg_try_advisory_lock($1, hashtext($2))", connection) { Parameters = { new() { Value = LockSpace }, new() { Value = final } } };
            if (!(bool)(await command.ExecuteScalarAsync(ct))!)
                throw new BackupFailedException(BackupFailure.Refused, $"Another restore into {final} works on that server just now: wait for its end.");
            return new(connection, way, final, clock);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async Task<bool> Exists(string name, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select exists (select 1 from pg_database where datname = $1)", connection) { Parameters = { new() { Value = name } } };
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Which database that is, wherever it is reached from; null where there is none, or the server does not say.</summary>
    public async Task<string?> Identity(string name, CancellationToken ct)
    {
        try
        {
            return await Scalar(Persistence.RecoveryEpoch.IdentityOf, name, ct) as string;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return null;
        }
    }

    public async Task Drop(string name, CancellationToken ct) => await Execute($"drop database if exists {ContentsComparison.Quoted(name)} with (force)", ct);

    /// <summary>Gives the restored one its name; what had it before is kept under another one. Both or neither.</summary>
    /// <param name="aside">Null where nothing may be put aside.</param>
    /// <exception cref="BackupFailedException">Refused where the name is taken, or somebody keeps connecting to it.</exception>
    public async Task TakePlace(string unfinished, string? aside, CancellationToken ct)
    {
        for (var tried = 1; ; tried++)
            try
            {
                await Swap(unfinished, aside, ct);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ObjectInUse && tried < Tries)
            {
                await Task.Delay(Pause, clock, ct);
            }
            catch (PostgresException e)
            {
                throw new BackupFailedException(BackupFailure.Refused, e.SqlState switch
                {
                    PostgresErrorCodes.ObjectInUse => $"Programs keep connecting to {final}: stop them, then restore again. Nothing was replaced.",
                    PostgresErrorCodes.DuplicateDatabase => $"A database {final} came about meanwhile. Nothing was replaced.",
                    _ => $"The restored database could not get its name: {e.MessageText}. Nothing was replaced.",
                }, e);
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException && connection.State != System.Data.ConnectionState.Open)
            {
                throw new BackupFailedException(BackupFailure.Passing, $"The connection to the server was lost when {final} was to get its place: {e.GetBaseException().Message.TrimEnd('.')}. Look which databases are there, then restore again.", e);
            }
    }

    async Task Swap(string unfinished, string? aside, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (aside is not null)
        {
            var owner = await Scalar("select pg_get_userbyid(datdba) from pg_database where datname = $1", final, ct) as string;
            await Scalar("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()", final, ct);
            await Execute($"alter database {ContentsComparison.Quoted(final)} rename to {ContentsComparison.Quoted(aside)}", ct);
            if (owner is not null && await Scalar("select (pg_has_role($1, 'member') and (select rolcreatedb or rolsuper from pg_roles where rolname = current_user))::text", owner, ct) is "true")
                await Execute($"alter database {ContentsComparison.Quoted(unfinished)} owner to {ContentsComparison.Quoted(owner)}", ct);
        }
        await Execute($"alter database {ContentsComparison.Quoted(unfinished)} rename to {ContentsComparison.Quoted(final)}", ct);
        await transaction.CommitAsync(ct);
    }

    static async Task<NpgsqlConnection> Connect(NpgsqlConnectionStringBuilder way, CancellationToken ct)
    {
        foreach (var (name, isLast) in new[] { ("postgres", false), (way.Database!, false), ("template1", true) })
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(way.ConnectionString) { Database = name, ApplicationName = "portal restore" }.ConnectionString);
            try
            {
                await connection.OpenAsync(ct);
                return connection;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
            {
                await connection.DisposeAsync();
                if (isLast || e is not PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidAuthorizationSpecification }) throw PostgresSource.Failed(way, e);
            }
        }
        throw new InvalidOperationException("The last try ends in one way or the other.");
    }

    async Task<object?> Scalar(string sql, string value, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = value } } };
        return await command.ExecuteScalarAsync(ct);
    }

    async Task Execute(string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
