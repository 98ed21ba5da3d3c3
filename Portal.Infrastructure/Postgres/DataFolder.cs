using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Portal.Infrastructure.Postgres;

/// <summary>The folder that belongs to this portal alone: cluster, keys, backups, the page on disk.</summary>
public sealed class DataFolder(string path) : IDisposable
{
    const UnixFileMode Passable = PrivateFile.FolderMode | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    FileStream? claim;

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    /// <summary>A short name for this folder where paths must be short or outside of it.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)))[..16];

    public string DefaultMasterKeyFile => Path.Combine(Root, "keys", "master.key");

    /// <summary>A folder inside that only we can enter.</summary>
    public string Private(params string[] names)
    {
        var folder = Root;
        foreach (var name in names)
        {
            folder = Path.Combine(folder, name);
            if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, PrivateFile.FolderMode);
        }
        return folder;
    }

    /// <summary>Makes the folder where it is missing and keeps everybody else out of it until <see cref="Dispose"/> or the end of the process.</summary>
    /// <exception cref="CannotStartException">It cannot be made, or another portal works on it.</exception>
    public void Claim()
    {
        if (claim is not null) return;
        try
        {
            Prepare();
            // FileShare.None is flock(LOCK_EX) here, and the descriptor is not inherited: PostgreSQL does not hold the lock after our end.
            claim = new FileStream(Path.Combine(Root, "portal.lock"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = PrivateFile.Mode,
            });
            PrivateFile.Write(PidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (UnauthorizedAccessException)
        {
            throw new CannotStartException($"The data folder {Root} cannot be written to by this user. Choose another one with --data DIR (Data:Path).");
        }
        catch (IOException e) when (claim is null)
        {
            if (!File.Exists(Path.Combine(Root, "portal.lock"))) throw new CannotStartException($"The data folder {Root} cannot be used: {e.Message} (Data:Path)");
            var holder = File.Exists(PidFile) ? File.ReadAllText(PidFile) : null;
            throw new FolderInUseException($"The data folder {Root} is in use by another portal{(holder is null ? "" : $" (process {holder})")}. Stop that one first, or choose another folder with --data DIR (Data:Path).", holder);
        }
    }

    string PidFile => Path.Combine(Root, "portal.pid");

    void Prepare()
    {
        var ours = !Directory.Exists(Root) || !Directory.EnumerateFileSystemEntries(Root).Any() || File.Exists(Path.Combine(Root, "portal.lock"));
        Directory.CreateDirectory(Root);
        // A folder that holds other things already keeps the rights that somebody gave it.
        if (ours) File.SetUnixFileMode(Root, Passable);
        Private("keys");
    }

    public void Dispose()
    {
        if (claim is null) return;
        File.Delete(PidFile);
        claim.Dispose();
        claim = null;
    }
}
