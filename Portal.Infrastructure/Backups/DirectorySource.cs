using System.Formats.Tar;
using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups;

/// <summary>A directory as a tar (GNU's form, whose names may hold anything): files, folders and symbolic links, which are not followed. Sockets, pipes and devices hold nothing to keep.</summary>
/// <remarks>A file that changes while it is read ends the backup: half of the old and half of the new is no backup of either.</remarks>
public sealed class DirectorySource(string folder) : IBackupSource
{
    readonly string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    public ContentKind Kind => ContentKind.Directory;

    public async Task<SourceFacts> Write(Stream to, CancellationToken ct)
    {
        if (!Directory.Exists(root)) throw new BackupFailedException(BackupFailure.Refused, $"The directory {root} does not exist.");
        var without = await Special(ct);
        long files = 0, bytes = 0;
        await using (var tar = new TarWriter(to, TarEntryFormat.Gnu, leaveOpen: true))
            foreach (var path in Below(new DirectoryInfo(root), without))
            {
                ct.ThrowIfCancellationRequested();
                if (await Add(tar, path, ct) is not { } length) continue;
                files++;
                bytes += length;
            }
        return new SourceFacts(Kind, null, null, null, null, new DirectoryContents(files, bytes));
    }

    /// <returns>The length of a regular file; null for everything else.</returns>
    async Task<long?> Add(TarWriter tar, FileSystemInfo path, CancellationToken ct)
    {
        var name = Path.GetRelativePath(root, path.FullName);
        try
        {
            if (path is not FileInfo file || file.LinkTarget is not null)
            {
                await tar.WriteEntryAsync(path.FullName, name, ct);
                return null;
            }
            var (length, changed) = (file.Length, file.LastWriteTimeUtc);
            await tar.WriteEntryAsync(path.FullName, name, ct);
            file.Refresh();
            if (!file.Exists || file.Length != length || file.LastWriteTimeUtc != changed)
                throw new BackupFailedException(BackupFailure.Passing, $"{path.FullName} was changed while it was read. Try again, or stop what writes there meanwhile.");
            return length;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BackupFailedException(BackupFailure.Passing, $"{path.FullName} vanished while the directory was read. Try again, or stop what writes there meanwhile.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"{path.FullName} cannot be read by this user.", e);
        }
    }

    static IEnumerable<FileSystemInfo> Below(DirectoryInfo folder, IReadOnlySet<string> without)
    {
        foreach (var found in folder.EnumerateFileSystemInfos().OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            if (without.Contains(found.FullName)) continue;
            yield return found;
            if (found is DirectoryInfo { LinkTarget: null } inner)
                foreach (var deeper in Below(inner, without)) yield return deeper;
        }
    }

    /// <summary>Sockets, pipes and devices; .NET does not tell them from files, and opening one may wait for ever.</summary>
    async Task<HashSet<string>> Special(CancellationToken ct)
    {
        var found = await Programs.Run(["find", root, "(", "-type", "s", "-o", "-type", "p", "-o", "-type", "b", "-o", "-type", "c", ")", "-print0"], ct);
        return found.Ok ? [.. found.Output.Split('\0', StringSplitOptions.RemoveEmptyEntries)]
            : throw new BackupFailedException(BackupFailure.Refused, $"The directory {root} cannot be read whole: {found.Words}");
    }
}
