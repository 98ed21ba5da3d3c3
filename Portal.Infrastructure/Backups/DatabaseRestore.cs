using Npgsql;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>What a restore came to.</summary>
/// <param name="MissingRoles">Owners and grantees of the original that the destination does not have.</param>
/// <param name="GrantsLeftOut">Rights, owners and settings that could not be given again, with the reason.</param>
/// <param name="Said">What pg_restore said although it went well; empty as a rule.</param>
public sealed record RestoreReport(ContentsComparison Comparison, IReadOnlyList<string> MissingRoles, IReadOnlyList<string> GrantsLeftOut, string Said, RestoreTimes Times);

/// <summary>How long each part of a restore took; together they are all of it.</summary>
/// <param name="Fetch">Reading the artifact from its store, and checking it.</param>
/// <param name="Decrypt">What pg_restore had to wait for decrypting and unpacking.</param>
/// <param name="Restore">pg_restore, and the grants.</param>
/// <param name="Compare">Counting what came back.</param>
public sealed record RestoreTimes(TimeSpan Fetch, TimeSpan Decrypt, TimeSpan Restore, TimeSpan Compare);

/// <summary>Restores a database's backup into a fresh database. Nothing that exists is touched; what was begun is dropped when it fails.</summary>
/// <param name="scratch">A folder that only we can enter.</param>
/// <param name="toOwners">False leaves everything to the account that restores, which works with it.</param>
public sealed class DatabaseRestore(ArtifactReader reader, PostgresTools tools, string scratch, TimeProvider clock, bool toOwners = true)
{
    /// <param name="server">The way to the destination server, by an account that may create databases; the database it names is only connected to.</param>
    /// <param name="database">The name of the fresh database.</param>
    /// <exception cref="BackupFailedException">Refused where it exists already or cannot be; Damaged where the artifact is not what was written.</exception>
    public async Task<RestoreReport> Into(BackupManifest manifest, DataKey key, string server, string database, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        var expected = manifest.Database ?? throw new BackupFailedException(BackupFailure.Refused, $"Backup {manifest.Id} is of a directory, not of a database.");
        var way = PostgresSource.OneServer(server);
        var into = new NpgsqlConnectionStringBuilder(way.ConnectionString) { Database = database };
        try
        {
            await Prepare(manifest, expected, way, database, ct);
            try
            {
                var began = clock.GetTimestamp();
                var (said, fetch, decrypt) = await Fill(manifest, key, into, progress, ct);
                await using var connection = new NpgsqlConnection(into.ConnectionString);
                await connection.OpenAsync(ct);
                var missing = await RestoredRights.Missing(connection, expected, ct);
                var notGranted = await RestoredRights.Grant(connection, expected, missing, ct);
                var restored = clock.GetElapsedTime(began);
                var comparison = await Compare(expected, into, ct);
                var times = new RestoreTimes(fetch, decrypt, restored - fetch - decrypt, clock.GetElapsedTime(began) - restored);
                // Last: what was given away may not be read any more.
                return new RestoreReport(comparison, missing, [.. notGranted, .. await RestoredRights.GiveBack(connection, toOwners ? expected : expected with { Owners = [] }, missing, ct)], said, times);
            }
            catch
            {
                await Drop(way, database);
                throw;
            }
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            throw PostgresSource.Failed(way, e);
        }
    }

    async Task Prepare(BackupManifest manifest, DatabaseContents expected, NpgsqlConnectionStringBuilder way, string database, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(way.ConnectionString);
        await connection.OpenAsync(ct);
        tools.CheckFor(manifest.Versions, connection.PostgreSqlVersion.ToString());
        var available = (await Names(connection, "select name from pg_available_extensions", ct)).ToHashSet();
        var absent = expected.Extensions.Select(e => e.Name).Where(n => !available.Contains(n)).ToList();
        if (absent.Count > 0)
            throw new BackupFailedException(BackupFailure.Refused, $"The destination server lacks what the database uses: {string.Join(", ", absent.Select(n => $"the extension {n}"))}. Install their packages there first.");
        try
        {
            await Execute(connection, $"create database {ContentsComparison.Quoted(database)} template template0 encoding {Literal(expected.Encoding)} lc_collate {Literal(expected.Collation)} lc_ctype {Literal(expected.CharacterType)}", ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicateDatabase)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"A database {database} exists already, and a restore never writes into one that exists: choose another name.", e);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"The user {way.Username} may not create databases at {way.Host}:{way.Port}.", e);
        }
    }

    async Task<(string Said, TimeSpan Fetch, TimeSpan Decrypt)> Fill(BackupManifest manifest, DataKey key, NpgsqlConnectionStringBuilder into, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        var (words, began, fetch, waited) = ("", clock.GetTimestamp(), TimeSpan.Zero, TimeSpan.Zero);
        await reader.Read(manifest, key, async (content, token) =>
        {
            fetch = clock.GetElapsedTime(began);
            await using var from = new AwaitedStream(content, clock);
            using var given = LibpqConnection.Open(into, scratch);
            await using var restore = ToolProcess.Start(tools.Restore, ["--no-owner", "--no-acl", "--exit-on-error", "--no-password", $"--dbname={given.Argument}"], given.Environment, token);
            (var exit, words) = await restore.Fed(from, token);
            waited = from.Waited;
            if (exit != 0) throw new BackupFailedException(BackupFailure.Refused, $"pg_restore failed (exit code {exit}): {(words.Length > 0 ? words : "it said nothing; it was ended from outside")}");
        }, progress, ct);
        return (words, fetch, waited);
    }

    static async Task<ContentsComparison> Compare(DatabaseContents expected, NpgsqlConnectionStringBuilder into, CancellationToken ct)
    {
        await using var restored = await DatabaseSnapshot.Take(into.ConnectionString, ct);
        return ContentsComparison.Of(expected, await restored.Contents(ct));
    }

    /// <summary>What was begun here is nobody's yet.</summary>
    static async Task Drop(NpgsqlConnectionStringBuilder way, string database)
    {
        try
        {
            await using var connection = new NpgsqlConnection(way.ConnectionString);
            await connection.OpenAsync(CancellationToken.None);
            await Execute(connection, $"drop database if exists {ContentsComparison.Quoted(database)} with (force)", CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // The server is gone; the reason that is told is why the restore failed.
            return;
        }
    }

    internal static async Task<List<string>> Names(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var names = new List<string>();
        while (await reader.ReadAsync(ct)) names.Add(reader.GetString(0));
        return names;
    }

    internal static async Task Execute(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal static string Literal(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
}
