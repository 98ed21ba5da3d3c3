using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>What a source wrote, for the manifest.</summary>
public sealed record SourceFacts(ContentKind Kind, string? Server, string? Dump, SnapshotPosition? Snapshot, DatabaseContents? Database, DirectoryContents? Directory);

/// <summary>Something that can be backed up.</summary>
public interface IBackupSource
{
    ContentKind Kind { get; }

    /// <summary>Writes all of it, as of one moment where the source can do that.</summary>
    /// <exception cref="BackupFailedException">In words.</exception>
    Task<SourceFacts> Write(Stream to, CancellationToken ct);
}
