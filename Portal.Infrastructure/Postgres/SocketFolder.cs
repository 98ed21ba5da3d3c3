using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Postgres;

/// <summary>Where a private server puts its socket: a path of at most 107 bytes, so never inside of the data folder.</summary>
public static class SocketFolder
{
    const UnixFileMode ForAll = PrivateFile.FolderMode | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <summary>A folder this young may belong to a server that is just starting.</summary>
    static readonly TimeSpan Young = TimeSpan.FromMinutes(10);

    /// <summary>Holds one folder for each data folder of this account.</summary>
    public static string RootFor(ServerAccount account) => account.Name is not null ? "/run/portal"
        : Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 and < 60 } own ? own : Path.GetTempPath(), $"portal-{Environment.UserName}");

    /// <exception cref="CannotStartException">The place is not ours alone.</exception>
    public static Task<string> Make(ServerAccount account, DataFolder data, TimeProvider clock, ILogger log, CancellationToken ct) => Make(account, data.Hash, clock, log, ct);

    /// <param name="name">16 hex digits, as <see cref="DataFolder.Hash"/> is written.</param>
    /// <exception cref="CannotStartException">The place is not ours alone.</exception>
    public static async Task<string> Make(ServerAccount account, string name, TimeProvider clock, ILogger log, CancellationToken ct)
    {
        var root = RootFor(account);
        // Root's must let PostgreSQL's user pass; everybody else's is for nobody else.
        await Secure(root, account.Name is null ? PrivateFile.FolderMode : ForAll, ct);
        var folder = Path.Combine(root, name);
        await account.MakeFolder(folder, ct);
        // It may be there from long ago: whoever sweeps meanwhile shall see that it is in use.
        Directory.SetLastWriteTimeUtc(folder, clock.GetUtcNow().UtcDateTime);
        Sweep(root, clock, log);
        return folder;
    }

    public static void Remove(ServerAccount account, DataFolder data, ILogger log) => Remove(account, data.Hash, log);

    public static void Remove(ServerAccount account, string name, ILogger log) => Clear(new DirectoryInfo(Path.Combine(RootFor(account), name)), log);

    /// <summary>Its name can be guessed and may lie where everybody writes: what somebody else put there is not used.</summary>
    /// <exception cref="CannotStartException">It is a link, belongs to another user or can be written to by others.</exception>
    public static async Task Secure(string root, UnixFileMode mode, CancellationToken ct)
    {
        try
        {
            if (!Path.Exists(root)) Directory.CreateDirectory(root, mode);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CannotStartException($"The folder {root} for PostgreSQL's sockets cannot be made by this user: {e.Message} (XDG_RUNTIME_DIR decides where it is, if it is set.)");
        }
        // Of the thing itself, not of what it leads to.
        var seen = await Programs.Run(["stat", "-c", "%F|%u", root], ct);
        if (new DirectoryInfo(root).LinkTarget is not null || seen.Output.Trim() != $"directory|{OwnUser()}" || (File.GetUnixFileMode(root) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            throw new CannotStartException($"The folder {root} for PostgreSQL's sockets is a link, belongs to another user or can be written to by others: look who made it, remove it and start again.");
        File.SetUnixFileMode(root, mode);
    }

    /// <summary>Removes what servers left that were not stopped cleanly and never started again.</summary>
    public static void Sweep(string root, TimeProvider clock, ILogger log)
    {
        foreach (var folder in new DirectoryInfo(root).EnumerateDirectories().Where(f => IsHash(f.Name)).ToList())
            try
            {
                if (clock.GetUtcNow() - folder.LastWriteTimeUtc > Young && folder.LinkTarget is null && !HasServer(folder)) Clear(folder, log);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                log.LogWarning("The old folder {Folder} of a socket cannot be looked at: {Reason}", folder.FullName, e.Message);
            }
    }

    /// <summary>Only what a server leaves; a folder that holds more stays, and nothing stops for it.</summary>
    static void Clear(DirectoryInfo folder, ILogger log)
    {
        try
        {
            foreach (var file in folder.GetFiles(".s.PGSQL.*")) file.Delete();
            folder.Delete();
        }
        catch (DirectoryNotFoundException)
        {
            // Its own portal, or another one that sweeps, was faster.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogWarning("The old folder {Folder} of a socket cannot be removed: {Reason}", folder.FullName, e.Message);
        }
    }

    /// <summary>As <see cref="DataFolder.Hash"/> is written.</summary>
    static bool IsHash(string name) => name.Length == 16 && name.All(char.IsAsciiHexDigitLower);

    /// <summary>A server locks its socket with a file that begins with its process.</summary>
    static bool HasServer(DirectoryInfo folder) =>
        folder.GetFiles(".s.PGSQL.*.lock").Any(file => int.TryParse(File.ReadLines(file.FullName).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid) && Postmaster.IsServer(pid));

    /// <summary>The number of the user whose rights we have.</summary>
    static string OwnUser() => File.ReadLines("/proc/self/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2];
}
