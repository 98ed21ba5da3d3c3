using System.Net.Sockets;
using Npgsql;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>A PostgreSQL database by pg_dump's custom format, uncompressed. What it held is counted inside the dump's own snapshot.</summary>
/// <param name="connectionString">Of an account that may read everything.</param>
/// <param name="scratch">A folder that only we can enter, for the password while pg_dump runs.</param>
public sealed class PostgresSource(string connectionString, PostgresTools tools, string scratch) : IBackupSource
{
    static readonly TimeSpan WaitsForLocks = TimeSpan.FromMinutes(5);

    public ContentKind Kind => ContentKind.Database;

    public async Task<SourceFacts> Write(Stream to, CancellationToken ct)
    {
        var way = OneServer(connectionString);
        try
        {
            await using var snapshot = await DatabaseSnapshot.Take(way.ConnectionString, ct);
            tools.CheckFor(snapshot.Server);
            using var given = LibpqConnection.Open(way, scratch);
            var before = await snapshot.Sequences(ct);
            // Whichever of the two fails ends the other.
            using var together = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var dumping = Dump(given, snapshot.Name, to, together.Token);
            var counting = snapshot.Count(together.Token);
            await Task.WhenAll(EndingTheOther(dumping, together), EndingTheOther(counting, together)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            ct.ThrowIfCancellationRequested();
            // The reason first, not the cancellation that followed from it.
            if (counting.IsFaulted && !dumping.IsFaulted) await counting;
            await dumping;
            var contents = await counting;
            var after = (await snapshot.Sequences(ct)).ToDictionary(s => (s.Schema, s.Name), s => s.Before);
            var sequences = before.Select(s => s with { After = after.GetValueOrDefault((s.Schema, s.Name), s.Before) });
            return new SourceFacts(Kind, snapshot.Server, tools.Version, snapshot.Position, contents with { Sequences = [.. sequences] }, null);
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException)
        {
            throw Failed(way, e);
        }
    }

    /// <summary>A dedicated connection to the one server that pg_dump reads as well.</summary>
    public static NpgsqlConnectionStringBuilder OneServer(string connectionString)
    {
        var way = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Enlist = false, Timeout = 10, CommandTimeout = 0, KeepAlive = 30, ApplicationName = "portal backup" };
        way.Host = (way.Host ?? "").Split(',')[0];
        way.Database ??= way.Username;
        return way;
    }

    /// <summary>What a server said, or that it said nothing.</summary>
    public static BackupFailedException Failed(NpgsqlConnectionStringBuilder way, Exception e)
    {
        var where = $"The database {way.Database} at {way.Host}:{way.Port}";
        return e switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => new(BackupFailure.Refused, $"{where} does not exist.", e),
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } => new(BackupFailure.Refused, $"{where} refuses the user {way.Username}: check user and password.", e),
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } p => new(BackupFailure.Refused, $"{where}: the user {way.Username} may not read everything ({p.MessageText}). A backup needs an account that may, as one with pg_read_all_data.", e),
            PostgresException { SqlState: "57P01" or "57P02" or "57P03" or "53300" } p => new(BackupFailure.Passing, $"{where} is stopping, starting or full ({p.MessageText}).", e),
            PostgresException p => new(BackupFailure.Refused, $"{where} says: {p.MessageText} ({p.SqlState})", e),
            _ => new(BackupFailure.Passing, $"{where} cannot be reached, or the connection was lost: {e.GetBaseException().Message}", e),
        };
    }

    async Task Dump(LibpqConnection given, string snapshot, Stream to, CancellationToken ct)
    {
        await using var dump = ToolProcess.Start(tools.Dump,
            ["--format=custom", "--compress=0", "--no-password", $"--snapshot={snapshot}", $"--lock-wait-timeout={WaitsForLocks.TotalMilliseconds:0}", $"--dbname={given.Argument}"], given.Environment, ct);
        dump.Input.Close();
        await dump.Output.CopyToAsync(to, 1 << 17, ct);
        var (exit, said) = await dump.End(ct);
        if (exit == 0 && said.Length == 0) return;
        throw new BackupFailedException(WentAway.Any(w => said.Contains(w, StringComparison.Ordinal)) ? BackupFailure.Passing : BackupFailure.Refused,
            exit == 0 ? $"pg_dump ended well, but did not keep silent, so this is no complete backup: {said}" : $"pg_dump failed (exit code {exit}): {(said.Length > 0 ? said : "it said nothing; it was ended from outside")}");
    }

    static readonly string[] WentAway = ["Connection refused", "server closed the connection", "database system is starting up", "database system is shutting down", "terminating connection", "timeout expired", "could not receive data"];

    static async Task EndingTheOther(Task work, CancellationTokenSource together)
    {
        try
        {
            await work;
        }
        catch
        {
            await together.CancelAsync();
            throw;
        }
    }
}
