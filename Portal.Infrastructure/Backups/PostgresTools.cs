using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups;

/// <summary>pg_dump and pg_restore of this machine.</summary>
/// <param name="Version">As pg_dump says it: 15.18.</param>
public sealed partial record PostgresTools(PostgresBinaries Binaries, string Version)
{
    public string Dump => Binaries["pg_dump"];

    public string Restore => Binaries["pg_restore"];

    public int Major => MajorOf(Version);

    /// <summary>The newest that are installed: they read every older server.</summary>
    /// <param name="packages">A folder with one folder a major version; null for where Debian and Ubuntu keep them.</param>
    /// <exception cref="BackupFailedException">None is installed, or it does not run.</exception>
    public static async Task<PostgresTools> Find(CancellationToken ct, string? packages = null)
    {
        try
        {
            var binaries = packages is null ? PostgresBinaries.ForDumps() : PostgresBinaries.ForDumps(packages);
            var said = await Programs.Run([binaries["pg_dump"], "--version"], ct);
            return VersionWords().Match(said.Output) is { Success: true } version
                ? new PostgresTools(binaries, version.Groups[1].Value)
                : throw new BackupFailedException(BackupFailure.Refused, $"{binaries["pg_dump"]} does not say its version: {said.Words}");
        }
        catch (CannotStartException e)
        {
            throw new BackupFailedException(BackupFailure.Refused, "pg_dump is missing or cannot be run on this machine: install the package postgresql-client.", e);
        }
    }

    /// <exception cref="BackupFailedException">The server is newer than pg_dump, which would refuse.</exception>
    public void CheckFor(string server)
    {
        if (MajorOf(server) > Major)
            throw new BackupFailedException(BackupFailure.Refused, $"The server is PostgreSQL {server}, pg_dump here is {Version}: an older pg_dump refuses a newer server. Install the package postgresql-client-{MajorOf(server)}.");
    }

    /// <exception cref="BackupFailedException">The archive was written by a newer pg_dump, or the server is older than the one it came from.</exception>
    public void CheckFor(BackupVersions archive, string? destination)
    {
        if (archive.Dump is { } dump && MajorOf(dump) > Major)
            throw new BackupFailedException(BackupFailure.Refused, $"The archive was written by pg_dump {dump}, pg_restore here is {Version}: newer archives cannot be read by an older one. Install the package postgresql-client-{MajorOf(dump)}.");
        if (archive.Server is { } server && destination is not null && MajorOf(destination) < MajorOf(server))
            throw new BackupFailedException(BackupFailure.Refused, $"The backup is of PostgreSQL {server}, the destination is {destination}: restore it on {MajorOf(server)} or newer.");
    }

    public static int MajorOf(string version) =>
        int.TryParse(version.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : 0;

    [GeneratedRegex(@"\(PostgreSQL\) (\d+(?:\.\d+)*)")]
    private static partial Regex VersionWords();
}

/// <summary>The way to a database as libpq's programs take it: everything but the password in one argument, the password in a file of its own while they run.</summary>
public sealed class LibpqConnection : IDisposable
{
    const string Ending = ".pgpass";
    readonly string passwordFile;

    LibpqConnection(string words, string passwordFile) => (Argument, this.passwordFile) = (words, passwordFile);

    /// <summary>For <c>--dbname</c>. Names may hold anything, so each value is quoted.</summary>
    public string Argument { get; }

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string> { ["PGPASSFILE"] = passwordFile };

    /// <param name="scratch">A folder that only we can enter.</param>
    public static LibpqConnection Open(NpgsqlConnectionStringBuilder to, string scratch)
    {
        Directory.CreateDirectory(scratch, PrivateFile.FolderMode);
        var file = Path.Combine(scratch, Path.GetRandomFileName() + Ending);
        PrivateFile.Write(file, $"*:*:*:*:{(to.Password ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal)}\n");
        return new LibpqConnection(string.Join(' ', Values(to).Where(v => !string.IsNullOrEmpty(v.Value)).Select(v => $"{v.Name}='{Quoted(v.Value!)}'")), file);
    }

    /// <summary>Takes away what processes that were killed left behind; call it at the start, when nothing runs here.</summary>
    public static void Sweep(string scratch)
    {
        if (!Directory.Exists(scratch)) return;
        foreach (var left in Directory.EnumerateFiles(scratch, "*" + Ending + "*")) File.Delete(left);
    }

    public void Dispose() => File.Delete(passwordFile);

    static IEnumerable<(string Name, string? Value)> Values(NpgsqlConnectionStringBuilder to) =>
    [
        ("host", to.Host), ("port", to.Port.ToString(CultureInfo.InvariantCulture)), ("user", to.Username), ("dbname", to.Database),
        ("sslmode", Words(to.SslMode)), ("sslrootcert", to.RootCertificate), ("sslcert", to.SslCertificate), ("sslkey", to.SslKey),
        ("connect_timeout", "10"), ("keepalives_idle", "30"), ("application_name", "portal backup"),
    ];

    static string Words(SslMode mode) => mode switch
    {
        SslMode.VerifyCA => "verify-ca",
        SslMode.VerifyFull => "verify-full",
        _ => mode.ToString().ToLowerInvariant(),
    };

    static string Quoted(string value) => value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
}
