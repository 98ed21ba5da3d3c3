using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

/// <summary>Where the parts of a backup lie in a store; the names alone say which belong together.</summary>
public static class ArtifactNames
{
    public const string Backups = "backups/", Keys = "keys/";
    const string ManifestEnding = ".json";

    public static string Manifest(BackupId id) => $"{Backups}{id}{ManifestEnding}";

    public static string Content(BackupId id, ContentKind kind) => $"{Backups}{id}{(kind == ContentKind.Directory ? ".tar" : ".dump")}.gz.enc";

    public static string Key(BackupKeyId id) => $"{Keys}{id}.key";

    /// <summary>Whose manifest an object is; null for everything else that lies in a store.</summary>
    public static BackupId? OfManifest(string name) =>
        name.StartsWith(Backups, StringComparison.Ordinal) && name.EndsWith(ManifestEnding, StringComparison.Ordinal)
        && Id.TryParse<BackupId>(name[Backups.Length..^ManifestEnding.Length], out var id) ? id : null;
}
