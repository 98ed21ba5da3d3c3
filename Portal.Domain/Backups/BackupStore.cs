using System.Text.Json.Serialization;
using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

public readonly record struct BackupStoreId(Guid Value) : IId<BackupStoreId>
{
    public static BackupStoreId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Where a store is. Exactly one of the two is given.</summary>
/// <param name="Folder">An absolute path on every node.</param>
public sealed record StorePlace(string? Folder, BucketPlace? Bucket)
{
    public const int PathLength = 500;

    [JsonIgnore]
    public string Words => Folder is { } folder ? $"the folder {folder}" : $"the bucket {Bucket!.Bucket} at {Bucket.Endpoint}";

    /// <exception cref="DomainException">Names the field.</exception>
    public StorePlace Checked()
    {
        if (Folder is null == Bucket is null) throw new DomainException("A store is a folder or a bucket: give one of the two.", "folder");
        return Folder is { } folder ? new StorePlace(AbsolutePath(folder, "folder"), null) : new StorePlace(null, Bucket!.Checked());
    }

    internal static string AbsolutePath(string path, string field)
    {
        var text = Text.Required(path, field, "The folder", PathLength);
        if (text[0] != '/' || text.Contains('\n')) throw new DomainException("The folder must be an absolute path, like /srv/backups.", field);
        return text.Length > 1 ? text.TrimEnd('/') : throw new DomainException("The root of the file system is no place for backups: name a folder in it.", field);
    }
}

/// <summary>A bucket of an S3-compatible store; its secret key is kept apart, sealed.</summary>
/// <param name="Endpoint">http or https, with host and port.</param>
/// <param name="Encryption">What is asked of the store's own encryption: AES256, aws:kms, or empty for none.</param>
public sealed record BucketPlace(string Endpoint, string Bucket, string Region, string AccessKey, bool ForcePathStyle = true, string Encryption = "AES256")
{
    internal BucketPlace Checked()
    {
        var endpoint = Text.Required(Endpoint, "endpoint", "The endpoint", 300);
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0 || uri.Query.Length > 0)
            throw new DomainException("The endpoint must be an address like https://s3.eu-central-1.amazonaws.com, without user and question mark.", "endpoint");
        var bucket = Text.Required(Bucket, "bucket", "The bucket", 63);
        if (bucket.Length < 3 || !bucket.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'))
            throw new DomainException("A bucket has 3 to 63 lower-case letters, digits, hyphens and dots.", "bucket");
        if (Encryption is not ("" or "AES256" or "aws:kms")) throw new DomainException("The store's own encryption is AES256, aws:kms or empty.", "encryption");
        return new(uri.AbsoluteUri.TrimEnd('/'), bucket, Text.Required(Region, "region", "The region", 60), Text.Required(AccessKey, "accessKey", "The access key", 200), ForcePathStyle, Encryption);
    }
}

/// <summary>A place that keeps backups, with the key under which they are written there.</summary>
/// <remarks>
/// Its data key is sealed by the portal's master key, here and in the store. Once the recovery sheet is made, it lies in the store under the sheet's passphrase too;
/// until then the backups open only with the master key.
/// </remarks>
public sealed class BackupStore
{
    BackupStore() { }

    public BackupStore(string name, StorePlace place, BackupKeyId key, DateTimeOffset now, bool isConfigured = false, BackupStoreId? id = null)
    {
        Id = id ?? Shared.Id.New<BackupStoreId>(now);
        (Name, Place, KeyId, CreatedAt, IsConfigured) = (Named(name), place.Checked(), key, now, isConfigured);
    }

    public BackupStoreId Id { get; private set; }
    public string Name { get; private set; } = "";
    public StorePlace Place { get; private set; } = null!;
    /// <summary>Whether it comes from the configuration, which then holds its secret key and is the place to change it.</summary>
    public bool IsConfigured { get; private set; }
    /// <summary>Of the bucket; sealed.</summary>
    public byte[]? SecretKey { get; private set; }
    public BackupKeyId KeyId { get; private set; }
    /// <summary>Sealed.</summary>
    public byte[] DataKey { get; private set; } = [];
    public DateTimeOffset CreatedAt { get; private set; }
    /// <summary>Nothing is written there any more; what lies there can be read and deleted.</summary>
    public DateTimeOffset? RetiredAt { get; private set; }

    /// <summary>The data key under the passphrase of the recovery sheet, as it lies in the store; null while there is no sheet.</summary>
    public string? WrappedKey { get; private set; }
    /// <summary>The portal's master key under the same passphrase, carried by every backup of the portal's own database.</summary>
    public string? WrappedMasterKey { get; private set; }
    /// <summary>The same two under a passphrase that nobody has confirmed yet: until then the sheet before holds.</summary>
    public string? PendingKey { get; private set; }
    public string? PendingMasterKey { get; private set; }
    /// <summary>When the newest sheet was made.</summary>
    public DateTimeOffset? SheetMadeAt { get; private set; }
    /// <summary>When somebody typed back a part of it.</summary>
    public DateTimeOffset? SheetConfirmedAt { get; private set; }
    public string? SheetConfirmedBy { get; private set; }
    /// <summary>What must be typed back, sealed; null once that was done.</summary>
    public byte[]? SheetProof { get; private set; }

    /// <summary>When it was last tried whether it can be written, read and deleted.</summary>
    public DateTimeOffset? ProbedAt { get; private set; }
    /// <summary>What is wrong with it; null where it works.</summary>
    public string? Problem { get; private set; }
    public long? FreeBytes { get; private set; }
    public long? TotalBytes { get; private set; }
    public uint Version { get; private set; }

    public bool HasSheet => SheetConfirmedAt is not null;

    public void Keep(byte[] dataKey) => DataKey = dataKey;

    public void KeepSecret(byte[] secretKey) => SecretKey = secretKey;

    public void Rename(string name) => Name = Named(name);

    /// <summary>The same place, reached in another way.</summary>
    public void Follow(StorePlace place) => Place = place;

    /// <summary>The configuration names another place now.</summary>
    public void LeaveConfiguration(string name) => (IsConfigured, Name) = (false, Named(name));

    public void Retire(DateTimeOffset now) => RetiredAt ??= now;

    /// <summary>It holds once somebody has confirmed that they have it.</summary>
    public void MakeSheet(string wrappedKey, string wrappedMasterKey, byte[] proof, DateTimeOffset now) =>
        (PendingKey, PendingMasterKey, SheetProof, SheetMadeAt) = (wrappedKey, wrappedMasterKey, proof, now);

    /// <summary>From now on this sheet opens what is in the store; the one before opens nothing there any more.</summary>
    public void ConfirmSheet(Actor by, DateTimeOffset now)
    {
        (WrappedKey, WrappedMasterKey) = (PendingKey ?? WrappedKey, PendingMasterKey ?? WrappedMasterKey);
        (PendingKey, PendingMasterKey, SheetProof, SheetConfirmedAt, SheetConfirmedBy) = (null, null, null, now, by.Name);
    }

    public void Probed(DateTimeOffset now, string? problem, long? free, long? total) => (ProbedAt, Problem, FreeBytes, TotalBytes) = (now, problem, free, total);

    static string Named(string name) => Text.Required(name, "name", "The name", Text.NameLength);
}
