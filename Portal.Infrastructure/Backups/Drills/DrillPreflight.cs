using System.Globalization;
using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>Whether a backup can be restored on this machine at all, looked at before anything is begun.</summary>
public static class DrillPreflight
{
    /// <summary>A restored database has indexes and write-ahead log that the archive has not.</summary>
    const int RoomFactor = 2;

    /// <param name="installed">Complete servers of this machine.</param>
    /// <param name="place">Where the scratch cluster will lie; it need not exist yet.</param>
    /// <returns>The programs to drill with: of the same major version as the original where they are installed, otherwise the next newer.</returns>
    /// <exception cref="BackupFailedException">Refused, with every reason in words.</exception>
    public static async Task<PostgresBinaries> Check(BackupManifest manifest, PostgresTools tools, IReadOnlyList<PostgresBinaries> installed, string place, CancellationToken ct)
    {
        if (manifest.Database is not { } contents || manifest.Versions.Server is not { } server) throw Impossible([$"backup {manifest.Id} is of a directory, not of a database"]);
        var reasons = new List<string>();
        var major = PostgresTools.MajorOf(server);
        var chosen = installed.Where(b => b.Major >= major).MinBy(b => b.Major);
        if (chosen is null) reasons.Add($"the backup is of PostgreSQL {major}, and {(installed.Count == 0 ? "no server" : $"no newer server than {installed.Max(b => b.Major)}")} is installed here: install the package postgresql-{major}");
        if (manifest.Versions.Dump is { } dump && PostgresTools.MajorOf(dump) > tools.Major) reasons.Add($"the archive was written by pg_dump {dump}, and pg_restore here is {tools.Version}: install the package postgresql-client-{PostgresTools.MajorOf(dump)}");
        if (chosen is not null) reasons.AddRange(await MissingExtensions(chosen, contents, ct));
        var free = FreeAt(place);
        if (manifest.Plain.Bytes > free / RoomFactor) reasons.Add($"it needs {RoomFactor} times the {Words(manifest.Plain.Bytes)} of the backup, and only {Words(free)} are free at {place}");
        return reasons.Count == 0 ? chosen! : throw Impossible(reasons);
    }

    static async Task<IEnumerable<string>> MissingExtensions(PostgresBinaries binaries, DatabaseContents contents, CancellationToken ct)
    {
        var folder = Path.Combine(await SharedFolder(binaries, ct), "extension");
        var absent = contents.Extensions.Select(e => e.Name).Where(name => !File.Exists(Path.Combine(folder, $"{Path.GetFileName(name)}.control"))).Order(StringComparer.Ordinal).ToList();
        return absent.Count == 0 ? [] : [$"the database uses {(absent.Count == 1 ? "the extension" : "the extensions")} {string.Join(", ", absent)}, which PostgreSQL {binaries.Major} here does not have: install {(absent.Count == 1 ? "its package" : "their packages")}"];
    }

    static async Task<string> SharedFolder(PostgresBinaries binaries, CancellationToken ct)
    {
        if (File.Exists(binaries["pg_config"]) && await Programs.Run([binaries["pg_config"], "--sharedir"], ct) is { Ok: true } said) return said.Output.Trim();
        return $"/usr/share/postgresql/{binaries.Major}";
    }

    static long FreeAt(string place)
    {
        var existing = Path.GetFullPath(place);
        while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
        return new DriveInfo(existing).AvailableFreeSpace;
    }

    static BackupFailedException Impossible(IReadOnlyList<string> reasons) => new(BackupFailure.Refused, $"The drill is impossible because {string.Join(", and because ", reasons)}.");

    static string Words(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1_000_000_000.0:0.0} GB");
}
