using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

/// <summary>Where the parts of a backup lie in a store; the names alone say which belong together.</summary>
public static class ArtifactNames
{
    public const string Backups = "backups/", Keys = "keys/";
    const string ManifestEnding = ".json";

    public static string Manifest(BackupId id) => $"{Backups}{id}{ManifestEnding}";

    public static string Content(BackupId id, ContentKind kind) => $"{Backups}{id}{(kind == ContentKind.Directory ? ".tar" : ".dump")}.gz.enc";

    /// <summary>The store's key under the passphrase of the recovery sheet.</summary>
    public static string Key(BackupKeyId id) => $"{Keys}{id}.key";

    /// <summary>The store's key under the portal's master key.</summary>
    public static string SealedKey(BackupKeyId id) => $"{Keys}{id}.sealed";

    /// <summary>Which key a wrapped key file holds; null for everything else.</summary>
    public static BackupKeyId? OfKey(string name) =>
        name.StartsWith(Keys, StringComparison.Ordinal) && name.EndsWith(".key", StringComparison.Ordinal) && Id.TryParse<BackupKeyId>(name[Keys.Length..^4], out var id) ? id : null;

    /// <summary>Whose manifest an object is; null for everything else that lies in a store.</summary>
    public static BackupId? OfManifest(string name) =>
        name.StartsWith(Backups, StringComparison.Ordinal) && name.EndsWith(ManifestEnding, StringComparison.Ordinal)
        && Id.TryParse<BackupId>(name[Backups.Length..^ManifestEnding.Length], out var id) ? id : null;
}
