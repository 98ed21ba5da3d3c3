using System.Globalization;

namespace Portal.Infrastructure.Postgres;

/// <summary>Where a private server puts its socket: a path of at most 107 bytes, so never inside of the data folder.</summary>
public static class SocketFolder
{
    /// <summary>A folder this young may belong to a server that is just starting.</summary>
    static readonly TimeSpan Young = TimeSpan.FromMinutes(10);

    /// <summary>Holds one folder for each data folder of this account.</summary>
    public static string RootFor(ServerAccount account) => account.Name is not null ? "/run/portal"
        : Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 60 } own ? own : Path.GetTempPath(), $"portal-{Environment.UserName}");

    public static async Task<string> Make(ServerAccount account, DataFolder data, TimeProvider clock, CancellationToken ct)
    {
        var root = RootFor(account);
        Directory.CreateDirectory(root);
        var folder = Path.Combine(root, data.Hash);
        await account.MakeFolder(folder, ct);
        // It may be there from long ago: whoever sweeps meanwhile shall see that it is in use.
        Directory.SetLastWriteTimeUtc(folder, clock.GetUtcNow().UtcDateTime);
        Sweep(root, clock);
        return folder;
    }

    public static void Remove(ServerAccount account, DataFolder data)
    {
        var folder = Path.Combine(RootFor(account), data.Hash);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    /// <summary>Removes what servers left that were not stopped cleanly and never started again.</summary>
    public static void Sweep(string root, TimeProvider clock)
    {
        foreach (var folder in Directory.GetDirectories(root))
            try
            {
                if (clock.GetUtcNow() - Directory.GetLastWriteTimeUtc(folder) > Young && !HasServer(folder)) Directory.Delete(folder, recursive: true);
            }
            catch (IOException) when (!Directory.Exists(folder))
            {
                // Its own portal, or another one that sweeps, was faster.
            }
    }

    /// <summary>A server locks its socket with a file that begins with its process.</summary>
    static bool HasServer(string folder) =>
        Directory.GetFiles(folder, ".s.PGSQL.*.lock").Any(file => int.TryParse(File.ReadLines(file).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid) && Postmaster.IsServer(pid));
}
