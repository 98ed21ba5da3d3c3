using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups;

/// <summary>Restores a directory's backup into a fresh directory, by tar: it keeps links that lead elsewhere and never writes through one, which .NET's own would refuse altogether.</summary>
public sealed class DirectoryRestore(ArtifactReader reader)
{
    /// <param name="folder">It must not exist, or be empty.</param>
    /// <returns>What is there now, beside the manifest.</returns>
    /// <exception cref="BackupFailedException">What was begun is removed.</exception>
    public async Task<ContentsComparison> Into(BackupManifest manifest, DataKey key, string folder, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        var expected = manifest.Directory ?? throw new BackupFailedException(BackupFailure.Refused, $"Backup {manifest.Id} is of a database, not of a directory.");
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new BackupFailedException(BackupFailure.Refused, $"{folder} holds something already, and a restore never writes over what exists: choose another directory.");
        try
        {
            Directory.CreateDirectory(folder, PrivateFile.FolderMode);
            await reader.Read(manifest, key, (from, token) => Feed(from, BackupFailure.Refused, ["--extract", "--file=-", $"--directory={folder}", "--delay-directory-restore"], token), progress, ct);
            var files = new DirectoryInfo(folder).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }).ToList();
            return new([new("files", $"{expected.Files}", $"{files.Count}"), new("bytes", $"{expected.Bytes}", $"{files.Sum(f => f.Length)}")]);
        }
        catch (Exception e)
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            if (e is IOException or UnauthorizedAccessException)
                throw new BackupFailedException(BackupFailure.Refused, $"The directory {folder} cannot be filled: {e.Message}", e);
            throw;
        }
    }

    /// <summary>Reads every entry, and keeps none.</summary>
    internal static Task ReadToItsEnd(Stream from, CancellationToken ct) => Feed(from, BackupFailure.Damaged, ["--list", "--file=-"], ct);

    static async Task Feed(Stream from, BackupFailure kind, IReadOnlyList<string> arguments, CancellationToken ct)
    {
        await using var tar = ToolProcess.Start(Programs.Find("tar"), arguments, null, ct);
        var (exit, said) = await tar.Fed(from, ct);
        if (exit != 0 || said.Length > 0) throw new BackupFailedException(kind, $"tar failed (exit code {exit}): {said}");
    }
}
