using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Backups;
using Portal.Hosting;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Security;

namespace Portal.Features.Backups;

/// <summary>A store with the key under which it is written.</summary>
public sealed record OpenStore(BackupStore Settings, IBackupStore Place, DataKey Key) : IDisposable
{
    public ArtifactReader Reader => new(Place);

    public void Dispose() => (Place as IDisposable)?.Dispose();
}

/// <summary>Opens stores, and makes and keeps their secrets.</summary>
public sealed class StoreOpening(PortalOptions options, SecretBox box, GuardedConnector connector, TimeProvider clock) : IDisposable
{
    readonly HttpMessageHandler connections = StoreConnections.Through(connector, clock);

    /// <exception cref="BackupFailedException">Its secrets do not open, or are missing.</exception>
    public OpenStore Open(BackupStore store) => new(store, Place(store.Place, () => SecretOf(store)), Key(store.KeyId, store.DataKey));

    /// <summary>A store that is tried before it is kept.</summary>
    public IBackupStore Place(StorePlace place, Func<string> secret) => place.Bucket is { } bucket
        ? new S3Store(new S3Settings(new Uri(bucket.Endpoint), bucket.Bucket, bucket.Region, bucket.AccessKey, secret(), bucket.ForcePathStyle, bucket.Encryption), clock, connections)
        : new LocalStore(place.Folder!);

    /// <summary>A new key, as it is kept.</summary>
    public byte[] NewKey(BackupKeyId id) => SealedKey(DataKey.Make(id));

    public byte[] SealedKey(DataKey key) => box.Seal(Encoding.ASCII.GetBytes(key.Hex), key.Id.ToString());

    /// <exception cref="BackupFailedException">It was sealed by another master key.</exception>
    public DataKey Key(BackupKeyId id, ReadOnlySpan<byte> sealedKey)
    {
        try
        {
            return DataKey.From(id, Encoding.ASCII.GetString(box.Open(sealedKey, id.ToString())));
        }
        catch (CryptographicException e)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"The key {id} of this store was sealed by another master key: only the passphrase of its recovery sheet opens it.", e);
        }
    }

    public byte[] SealedSecret(BackupStoreId store, string secret) => box.Seal(secret, store.Value);

    string SecretOf(BackupStore store)
    {
        if (store.IsConfigured && options.Backups.SecretKey is { } configured) return configured;
        return store.SecretKey is { } kept ? box.Open(kept, store.Id.Value)
            : throw new BackupFailedException(BackupFailure.Refused, $"The secret key of the store {store.Name} is not known: it came from the configuration, which names another store now. Enter it again.");
    }

    /// <summary>Puts the key files where they are missing or older: without them a backup opens for nobody once the database is gone.</summary>
    public static async Task KeepKeys(OpenStore store, CancellationToken ct)
    {
        var id = store.Settings.KeyId;
        await Keep(store.Place, ArtifactNames.SealedKey(id), store.Settings.DataKey, ct);
        if (store.Settings.WrappedMasterKey is { } master) await Keep(store.Place, ArtifactNames.MasterKey(id), Encoding.ASCII.GetBytes(master), ct);
        if (store.Settings.WrappedKey is { } wrapped) await Keep(store.Place, ArtifactNames.Key(id), Encoding.ASCII.GetBytes(wrapped), ct);
    }

    static async Task Keep(IBackupStore place, string name, byte[] content, CancellationToken ct)
    {
        try
        {
            if ((await place.Read(name, content.Length, ct)).AsSpan().SequenceEqual(content)) return;
        }
        catch (BackupFailedException e) when (e.Kind is BackupFailure.Missing or BackupFailure.Damaged)
        {
            // It is not there, or another one.
        }
        await place.Put(name, content, ct);
    }

    public void Dispose() => connections.Dispose();
}
