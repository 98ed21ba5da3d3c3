using System.Globalization;

namespace Portal.Infrastructure.Postgres;

/// <summary>PostgreSQL's programs of one major version.</summary>
public sealed record PostgresBinaries(string Folder, int Major)
{
    public string this[string program] => Path.Combine(Folder, program);

    /// <summary>Where Debian and Ubuntu keep them, one folder a major version.</summary>
    const string Packages = "/usr/lib/postgresql";

    /// <summary>All that are complete (server and dump), newest first.</summary>
    public static IReadOnlyList<PostgresBinaries> Installed(string packages = Packages) =>
        [.. All(packages).Where(b => File.Exists(b["postgres"]) && File.Exists(b["initdb"]) && File.Exists(b["pg_dump"]))];

    /// <summary>The newest that can copy a database, on this machine or another: the client's package is enough for that.</summary>
    /// <exception cref="CannotStartException">None is installed.</exception>
    public static PostgresBinaries ForDumps(string packages = Packages) => All(packages).FirstOrDefault(b => File.Exists(b["pg_dump"]))
        ?? throw new CannotStartException("pg_dump is missing: install the package postgresql-client, or leave copies before a migration to others (Database:DumpBeforeMigration).");

    static IEnumerable<PostgresBinaries> All(string packages) =>
        !Directory.Exists(packages) ? [] :
        Directory.GetDirectories(packages)
            .Where(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(d => new PostgresBinaries(Path.Combine(d, "bin"), int.Parse(Path.GetFileName(d), CultureInfo.InvariantCulture)))
            .OrderByDescending(b => b.Major);

    /// <exception cref="CannotStartException">None is installed.</exception>
    public static PostgresBinaries Newest(IReadOnlyList<PostgresBinaries> installed) =>
        installed.Count > 0 ? installed[0] : throw new CannotStartException("PostgreSQL's server programs are missing: install the package postgresql.");
}
