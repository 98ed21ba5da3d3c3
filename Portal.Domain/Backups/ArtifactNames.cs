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

    /// <summary>The portal's master key under the passphrase of the sheet that opens this key.</summary>
    public static string MasterKey(BackupKeyId id) => $"{Keys}{id}.master";

    /// <summary>Which key a file holds under a passphrase; null for everything else.</summary>
    public static BackupKeyId? OfKey(string name) => OfKey(name, ".key");

    /// <summary>Which key a file holds under the master key; null for everything else.</summary>
    public static BackupKeyId? OfSealedKey(string name) => OfKey(name, ".sealed");

    static BackupKeyId? OfKey(string name, string ending) =>
        name.StartsWith(Keys, StringComparison.Ordinal) && name.EndsWith(ending, StringComparison.Ordinal) && Id.TryParse<BackupKeyId>(name[Keys.Length..^ending.Length], out var id) ? id : null;

    /// <summary>Whose manifest an object is; null for everything else that lies in a store.</summary>
    public static BackupId? OfManifest(string name) =>
        name.StartsWith(Backups, StringComparison.Ordinal) && name.EndsWith(ManifestEnding, StringComparison.Ordinal)
        && Id.TryParse<BackupId>(name[Backups.Length..^ManifestEnding.Length], out var id) ? id : null;
}
