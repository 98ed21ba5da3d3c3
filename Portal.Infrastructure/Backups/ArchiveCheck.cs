using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>The second level of verification: the archive is readable to its very end, which a list of its contents does not prove.</summary>
public static class ArchiveCheck
{
    /// <exception cref="BackupFailedException">Damaged, or there is no pg_restore that reads it.</exception>
    public static async Task Run(ArtifactReader reader, BackupManifest manifest, DataKey key, PostgresTools tools, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        if (manifest.Kind == ContentKind.Directory)
        {
            await reader.Read(manifest, key, DirectoryRestore.ReadToItsEnd, progress, ct);
            return;
        }
        tools.CheckFor(manifest.Versions, destination: null);
        await reader.Read(manifest, key, async (from, token) =>
        {
            await using var restore = ToolProcess.Start(tools.Restore, ["--file=/dev/null"], null, token);
            var (exit, said) = await restore.Fed(from, token);
            if (exit != 0 || said.Length > 0)
                throw new BackupFailedException(BackupFailure.Damaged, $"pg_restore cannot read the archive of backup {manifest.Id} to its end (exit code {exit}): {said}");
        }, progress, ct);
    }
}
