using Npgsql;

namespace Portal.Infrastructure.Postgres;

/// <summary>A copy of the whole database in pg_dump's custom format, kept before its schema is changed.</summary>
public sealed class DatabaseDump(DataFolder data, TimeProvider clock)
{
    /// <summary>So many are kept.</summary>
    public const int Kept = 3;

    public string Folder => data.Private("backups", "pre-migration");

    /// <returns>The file.</returns>
    /// <exception cref="CannotStartException">No dump can be made; the reason is named.</exception>
    public async Task<string> Keep(string connectionString, CancellationToken ct)
    {
        var to = new NpgsqlConnectionStringBuilder(connectionString);
        var binaries = PostgresBinaries.ForDumps();
        var file = Path.Combine(Folder, $"{clock.GetUtcNow():yyyyMMdd-HHmmss-fff}.dump");
        var passwords = file + ".pgpass";
        var unfinished = file + ".part";
        try
        {
            // Never in the argument list or the environment, where other programs can read it.
            PrivateFile.Write(passwords, $"*:*:*:*:{(to.Password ?? "").Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal)}\n");
            PrivateFile.Write(unfinished, "");
            var dumped = await Programs.Run(
                [binaries["pg_dump"], "--format=custom", "--no-password", $"--file={unfinished}", $"--host={to.Host?.Split(',')[0]}", $"--port={to.Port}", $"--username={to.Username}", $"--dbname={to.Database}"],
                ct, new Dictionary<string, string> { ["PGPASSFILE"] = passwords, ["PGSSLMODE"] = SslMode(to.SslMode), ["PGCONNECT_TIMEOUT"] = "10" });
            // A server that went away meanwhile is waited for; everything else needs a person.
            if (!dumped.Ok && WentAway.Any(words => dumped.Error.Contains(words, StringComparison.Ordinal)))
                throw new IOException($"The database went away while it was copied: {dumped.Words}");
            if (!dumped.Ok || dumped.Error.Length > 0)
                throw new CannotStartException($"No copy of the database could be kept before the migration, so nothing was changed: {dumped.Words}");
            File.Move(unfinished, file);
            RemoveOld();
            return file;
        }
        finally
        {
            File.Delete(passwords);
            File.Delete(unfinished);
        }
    }

    static readonly string[] WentAway = ["Connection refused", "server closed the connection", "database system is starting up", "database system is shutting down", "terminating connection", "timeout expired"];

    void RemoveOld()
    {
        foreach (var old in Directory.GetFiles(Folder, "*.dump").OrderDescending(StringComparer.Ordinal).Skip(Kept)) File.Delete(old);
    }

    static string SslMode(SslMode mode) => mode switch
    {
        Npgsql.SslMode.VerifyCA => "verify-ca",
        Npgsql.SslMode.VerifyFull => "verify-full",
        _ => mode.ToString().ToLowerInvariant(),
    };
}
