using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>A backup as a store lists it: its manifest, or why it cannot be used.</summary>
/// <param name="Key">Null where not even that can be read.</param>
public sealed record FoundBackup(BackupId Id, BackupKeyId? Key, BackupManifest? Manifest, string? Problem);

/// <summary>Reads artifacts back. Nothing is decrypted before the HMACs of manifest and content were checked.</summary>
public sealed class ArtifactReader(IBackupStore store)
{
    const int Piece = 1 << 17;

    /// <summary>Every backup that lies in the store, oldest first, from the store alone.</summary>
    /// <param name="keys">The keys at hand; null for one that is not.</param>
    public async IAsyncEnumerable<FoundBackup> All(Func<BackupKeyId, DataKey?> keys, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var found in store.List(ArtifactNames.Backups, ct))
            if (ArtifactNames.OfManifest(found.Name) is { } id) yield return await Find(id, keys, ct);
    }

    /// <summary>The manifest of one backup, checked.</summary>
    /// <exception cref="BackupFailedException">Missing, changed, of another backup, or under another key.</exception>
    public async Task<BackupManifest> Manifest(BackupId id, DataKey key, CancellationToken ct) => Of(id, ManifestFile.Read(await Bytes(id, ct), key), key);

    /// <summary>The first level of verification: the content is read back, its length, SHA-256 and HMAC are those of the manifest.</summary>
    /// <exception cref="BackupFailedException">Damaged, where they are not.</exception>
    public async Task CheckStored(BackupManifest manifest, DataKey key, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        using var mac = key.BeginMac(manifest.Id);
        using var measure = new Measure(mac) { Moved = bytes => progress(new(0, bytes)) };
        await using (var from = await Content(manifest, ct))
            await measure.After(from).CopyToAsync(Stream.Null, Piece, ct);
        // The HMAC decides whether it is the one that was written; the rest only says more exactly what is wrong.
        if (!CryptographicOperations.FixedTimeEquals(mac.GetCurrentHash(), Hash(manifest.StoredMac))) throw Differs(manifest, measure.Content());
        Require(manifest, manifest.Stored, measure.Content());
    }

    /// <summary>Checks what is stored, then reads it once more and hands on the content. What is handed on counts only when this returns: both checksums were right again.</summary>
    public async Task Read(BackupManifest manifest, DataKey key, Func<Stream, CancellationToken, Task> use, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        await CheckStored(manifest, key, progress, ct);
        using Measure stored = new(), plain = new();
        plain.Moved = bytes => progress(new(bytes, stored.Bytes));
        await using var from = await Content(manifest, ct);
        await using var decrypted = await OpenSslLayout.Read(stored.After(from), key.Hex, OpenSslLayout.ForKeys, ct);
        await using var unpacked = new GZipStream(decrypted, CompressionMode.Decompress);
        try
        {
            var content = plain.After(unpacked);
            await use(content, ct);
            await content.CopyToAsync(Stream.Null, Piece, ct);
            await decrypted.CopyToAsync(Stream.Null, Piece, ct);
        }
        catch (InvalidDataException e)
        {
            throw new BackupFailedException(BackupFailure.Damaged, $"The content of backup {manifest.Id} cannot be unpacked: {e.Message}", e);
        }
        Require(manifest, manifest.Stored, stored.Content());
        Require(manifest, manifest.Plain, plain.Content());
    }

    async Task<FoundBackup> Find(BackupId id, Func<BackupKeyId, DataKey?> keys, CancellationToken ct)
    {
        BackupKeyId? known = null;
        try
        {
            var bytes = await Bytes(id, ct);
            known = ManifestFile.ReadUnchecked(bytes).Key;
            var key = keys(known.Value) ?? throw new BackupFailedException(BackupFailure.Refused, $"It is encrypted under the key {known}, which is not at hand: open {ArtifactNames.Key(known.Value)} with its passphrase.");
            return new FoundBackup(id, known, Of(id, ManifestFile.Read(bytes, key), key), null);
        }
        catch (BackupFailedException e)
        {
            return new FoundBackup(id, known, null, e.Message);
        }
    }

    async Task<byte[]> Bytes(BackupId id, CancellationToken ct) => await store.Read(ArtifactNames.Manifest(id), ManifestFile.LargestBytes, ct);

    static BackupManifest Of(BackupId id, BackupManifest manifest, DataKey key)
    {
        if (manifest.Id != id) throw new BackupFailedException(BackupFailure.Damaged, $"Under the name of backup {id} lies the manifest of {manifest.Id}: they were swapped.");
        if (manifest.Key != key.Id) throw new BackupFailedException(BackupFailure.Refused, $"Backup {id} is encrypted under the key {manifest.Key}, not {key.Id}.");
        if (manifest.File != ArtifactNames.Content(id, manifest.Kind)) throw new BackupFailedException(BackupFailure.Damaged, $"The manifest of backup {id} names the file of another one.");
        return manifest;
    }

    async Task<Stream> Content(BackupManifest manifest, CancellationToken ct)
    {
        try
        {
            return await store.Open(manifest.File, ct);
        }
        catch (BackupFailedException e) when (e.Kind == BackupFailure.Missing)
        {
            throw new BackupFailedException(BackupFailure.Damaged, $"The manifest of backup {manifest.Id} is there, its content {manifest.File} is not in {store.Words}.", e);
        }
    }

    static void Require(BackupManifest manifest, ContentMeasure expected, ContentMeasure found)
    {
        if (expected != found) throw Differs(manifest, found, expected);
    }

    static BackupFailedException Differs(BackupManifest manifest, ContentMeasure found, ContentMeasure? against = null)
    {
        var expected = against ?? manifest.Stored;
        var words = found.Bytes < expected.Bytes ? $"{expected.Bytes - found.Bytes:N0} of {expected.Bytes:N0} bytes are missing: it was cut"
            : found.Bytes > expected.Bytes ? $"it has {found.Bytes:N0} bytes instead of {expected.Bytes:N0}"
            : "its bytes are not those that were written: it was damaged, or is the content of another backup";
        return new(BackupFailure.Damaged, $"Backup {manifest.Id} must not be used: {words}.");
    }

    static byte[] Hash(string hex) => hex.Length == 64 && hex.All(char.IsAsciiHexDigit) ? Convert.FromHexString(hex) : Encoding.ASCII.GetBytes(hex);
}
