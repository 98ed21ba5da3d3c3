using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Postgres;

/// <summary>A cluster can only be run by programs of its own major version; an older one is moved to the newest that is installed.</summary>
public static class ClusterVersion
{
    public static int Of(string cluster) => int.Parse(File.ReadAllText(Path.Combine(cluster, "PG_VERSION")).Split('.')[0], CultureInfo.InvariantCulture);

    /// <summary>The programs to run this cluster with; an older cluster is moved first, and the old folder kept beside it.</summary>
    /// <exception cref="CannotStartException">It is newer than what is installed, or the programs of the old version are missing.</exception>
    public static async Task<PostgresBinaries> Fit(
        string cluster, IReadOnlyList<PostgresBinaries> installed, ServerAccount account, string password, ILogger log, TimeProvider clock, CancellationToken ct)
    {
        var (newest, version) = (PostgresBinaries.Newest(installed), Of(cluster));
        if (version == newest.Major) return newest;
        if (version > newest.Major)
            throw new CannotStartException($"The database in {cluster} is of PostgreSQL {version}, but only {newest.Major} is installed: install the package postgresql-{version}.");
        var old = installed.FirstOrDefault(b => b.Major == version)
            ?? throw new CannotStartException($"The database in {cluster} is of PostgreSQL {version}; to move it to {newest.Major}, install the package postgresql-{version} beside it and start again.");
        await Move(cluster, old, newest, account, password, log, clock, ct);
        return newest;
    }

    /// <summary>A new cluster, complete or not there at all.</summary>
    public static async Task Initialise(PostgresBinaries binaries, string cluster, ServerAccount account, string password, CancellationToken ct, string role = EmbeddedPostgres.Role)
    {
        var fresh = cluster + ".new";
        if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
        await account.MakeFolder(fresh, ct);
        var secret = Path.Combine(fresh + ".password");
        try
        {
            await account.WriteFile(secret, password, ct);
            var made = await Programs.Run(account.Command(
                binaries["initdb"], "-D", fresh, "-U", role, "-A", "scram-sha-256", $"--pwfile={secret}",
                "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"), ct);
            if (!made.Ok) throw new IOException($"initdb failed: {made.Words}");
        }
        finally
        {
            File.Delete(secret);
        }
        if (Directory.Exists(cluster)) Directory.Delete(cluster);
        Directory.Move(fresh, cluster);
    }

    /// <summary>By pg_upgrade, which copies: the old folder stays as it was, under the name of its version.</summary>
    public static async Task Move(
        string cluster, PostgresBinaries old, PostgresBinaries fresh, ServerAccount account, string password, ILogger log, TimeProvider clock, CancellationToken ct)
    {
        log.LogWarning("Moving the database in {Folder} from PostgreSQL {Old} to {New}; this takes a while", cluster, old.Major, fresh.Major);
        var target = $"{cluster}.{fresh.Major}";
        if (Directory.Exists(target)) Directory.Delete(target, recursive: true);
        await Initialise(fresh, target, account, password, ct);
        var work = cluster + ".upgrade";
        await account.MakeFolder(work, ct);
        var passwords = Path.Combine(work, "pgpass");
        try
        {
            await account.WriteFile(passwords, $"*:*:*:{EmbeddedPostgres.Role}:{password}\n", ct);
            var moved = await Programs.Run(account.Command(
                fresh["pg_upgrade"], "--old-bindir", old.Folder, "--new-bindir", fresh.Folder, "--old-datadir", cluster, "--new-datadir", target,
                "--username", EmbeddedPostgres.Role, "--socketdir", work), ct, new Dictionary<string, string> { ["PGPASSFILE"] = passwords, ["HOME"] = work }, work);
            if (!moved.Ok) throw new CannotStartException($"The database could not be moved to PostgreSQL {fresh.Major} and was left as it is: {moved.Words}");
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
        var kept = $"{cluster}.{old.Major}-{clock.GetUtcNow():yyyyMMddHHmmss}";
        Directory.Move(cluster, kept);
        Directory.Move(target, cluster);
        log.LogWarning("The database is now of PostgreSQL {New}; the old one is kept in {Kept} and can be removed once all is well", fresh.Major, kept);
    }
}
