using System.Runtime.CompilerServices;
using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups;

/// <summary>Backups in a folder of this machine, or of one that is mounted here.</summary>
public sealed class LocalStore(string folder) : IBackupStore
{
    /// <summary>Raw error numbers of Linux, which is what <see cref="Exception.HResult"/> holds for these.</summary>
    const int NoSpace = 28, OverQuota = 122;

    readonly string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    public string Words => $"the folder {root}";

    public async Task Put(string name, Func<Stream, CancellationToken, Task> write, CancellationToken ct)
    {
        var (file, unfinished) = PathsOf(name);
        try
        {
            MakeFolders(Path.GetDirectoryName(file)!);
            File.Delete(unfinished);
            await using (var to = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 1 << 18, Options = FileOptions.Asynchronous, UnixCreateMode = PrivateFile.Mode }))
            {
                await write(to, ct);
                await to.FlushAsync(ct);
                to.Flush(flushToDisk: true);
            }
            ct.ThrowIfCancellationRequested();
            File.Move(unfinished, file, overwrite: true);
            // The name lasts once the folder that holds it is on the disk as well.
            var kept = await Programs.Run(["sync", Path.GetDirectoryName(file)!], CancellationToken.None);
            if (!kept.Ok) throw new IOException(kept.Words);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Forget(unfinished);
            throw Failed($"{name} cannot be written to", e);
        }
        catch
        {
            Forget(unfinished);
            throw;
        }
    }

    public Task<Stream> Open(string name, CancellationToken ct)
    {
        try
        {
            return Task.FromResult<Stream>(new FileStream(PathsOf(name).File, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read | FileShare.Delete, BufferSize = 1 << 18, Options = FileOptions.Asynchronous | FileOptions.SequentialScan }));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupFailedException(BackupFailure.Missing, $"{name} is not in {Words}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed($"{name} cannot be read from", e);
        }
    }

    public async IAsyncEnumerable<StoredObject> List(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var found in Files(prefix))
        {
            ct.ThrowIfCancellationRequested();
            yield return found;
        }
        await Task.CompletedTask;
    }

    public Task Delete(string name, CancellationToken ct)
    {
        try
        {
            File.Delete(PathsOf(name).File);
            return Task.CompletedTask;
        }
        catch (DirectoryNotFoundException)
        {
            return Task.CompletedTask;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed($"{name} cannot be deleted from", e);
        }
    }

    public Task RemoveUnfinished(string name, CancellationToken ct)
    {
        Forget(PathsOf(name).Unfinished);
        return Task.CompletedTask;
    }

    public Task<StoreSpace?> Space(CancellationToken ct)
    {
        try
        {
            var existing = root;
            while (!Directory.Exists(existing)) existing = Path.GetDirectoryName(existing)!;
            var drive = new DriveInfo(existing);
            return Task.FromResult<StoreSpace?>(new(drive.AvailableFreeSpace, drive.TotalSize));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("The free space cannot be read of", e);
        }
    }

    (string File, string Unfinished) PathsOf(string name)
    {
        var file = Path.Combine(root, StoreContents.Checked(name));
        return (file, Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileName(file)}.part"));
    }

    /// <summary>Folders that only we can enter, whatever the umask.</summary>
    void MakeFolders(string inner)
    {
        if (inner.Length > root.Length) MakeFolders(Path.GetDirectoryName(inner)!);
        if (!Directory.Exists(inner)) Directory.CreateDirectory(inner, PrivateFile.FolderMode);
    }

    List<StoredObject> Files(string prefix)
    {
        try
        {
            var under = new DirectoryInfo(Path.Combine(root, prefix.Contains('/') ? prefix[..prefix.LastIndexOf('/')] : ""));
            if (!under.Exists) return [];
            return [.. under.EnumerateFiles("*", SearchOption.AllDirectories)
                .Select(f => (File: f, Name: Path.GetRelativePath(root, f.FullName)))
                .Where(f => f.Name.StartsWith(prefix, StringComparison.Ordinal) && !f.Name.Split('/').Any(part => part.StartsWith('.')))
                .Select(f => new StoredObject(f.Name, f.File.Length, f.File.LastWriteTimeUtc))
                .OrderBy(f => f.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("Nothing can be listed in", e);
        }
    }

    static void Forget(string unfinished)
    {
        // On a file system that fails, taking away may fail too; the reason that is told is the first one.
        try
        {
            File.Delete(unfinished);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return;
        }
    }

    BackupFailedException Failed(string what, Exception e) => e switch
    {
        { HResult: NoSpace or OverQuota } => new(BackupFailure.Refused, $"{what} {Words}: its disk is full. Make room or shorten the retention; nothing was left behind.", e),
        UnauthorizedAccessException => new(BackupFailure.Refused, $"{what} {Words}: this user may not ({e.Message})", e),
        _ => new(BackupFailure.Passing, $"{what} {Words}: {e.Message}", e),
    };
}
