using System.IO.Compression;
using Portal.Domain.Backups;

namespace Portal.Infrastructure.Backups;

/// <summary>How far an artifact is: bytes of content, and bytes that the store got or gave.</summary>
public readonly record struct ArtifactProgress(long Content, long Stored);

/// <summary>Makes artifacts: content → SHA-256 → gzip → AES-256 → SHA-256 and HMAC → store, in a stream of constant memory; the manifest last.</summary>
public sealed class ArtifactWriter(TimeProvider clock)
{
    /// <param name="Target">Its name, as plans call it.</param>
    /// <param name="GzipLevel">0 to 9.</param>
    /// <param name="Portal">The portal's version.</param>
    /// <param name="Audit">The head of the audit chain, to be anchored in the manifest.</param>
    /// <param name="Carried">Secrets under the escrow passphrase, by name; see <see cref="DataKey.Wrap(ReadOnlyMemory{byte}, string, CancellationToken)"/>.</param>
    /// <param name="BeforePublish">The last word before the manifest makes it a backup: throws where it must not become one.</param>
    public sealed record Order(BackupId Id, string Target, DataKey Key, int GzipLevel, string Portal, AuditHead? Audit = null, IReadOnlyDictionary<string, string>? Carried = null, Func<CancellationToken, Task>? BeforePublish = null);

    /// <param name="progress">Called for every piece; cheap things only.</param>
    /// <returns>The manifest, which is published when this returns.</returns>
    /// <exception cref="BackupFailedException">Nothing was published, nothing was left behind.</exception>
    public async Task<BackupManifest> Write(Order order, IBackupSource source, IBackupStore store, Action<ArtifactProgress> progress, CancellationToken ct)
    {
        var begun = clock.GetUtcNow();
        var file = ArtifactNames.Content(order.Id, source.Kind);
        using var mac = order.Key.BeginMac(order.Id);
        using Measure plain = new(), stored = new(mac);
        plain.Moved = bytes => progress(new(bytes, stored.Bytes));
        SourceFacts? facts = null;
        await store.Put(file, async (to, token) =>
        {
            facts = await Through(order, source, plain, stored.Before(to), token);
            progress(new(plain.Bytes, stored.Bytes));
        }, ct);
        var manifest = new BackupManifest(BackupManifest.CurrentFormat, order.Id, order.Target, source.Kind, file, order.Key.Id, new(order.Portal, facts!.Server, facts.Dump), facts.Snapshot,
            plain.Content(), stored.Content(), Convert.ToHexStringLower(mac.GetCurrentHash()), order.GzipLevel, begun, clock.GetUtcNow(), facts.Database, facts.Directory, order.Audit,
            new SortedDictionary<string, string>((order.Carried ?? new Dictionary<string, string>()).ToDictionary(), StringComparer.Ordinal));
        try
        {
            if (order.BeforePublish is { } last) await last(ct);
            await store.Put(ArtifactNames.Manifest(order.Id), ManifestFile.Write(manifest, order.Key), ct);
        }
        catch
        {
            // Without its manifest nobody would ever find it, nor clean it up.
            await store.Delete(file, CancellationToken.None);
            throw;
        }
        return manifest;
    }

    /// <summary>What a run that was killed may have left: unfinished parts, and content without a manifest.</summary>
    public static async Task RemovePartial(IBackupStore store, BackupId id, ContentKind kind, CancellationToken ct)
    {
        await store.RemoveUnfinished(ArtifactNames.Content(id, kind), ct);
        await store.RemoveUnfinished(ArtifactNames.Manifest(id), ct);
        await foreach (var _ in store.List(ArtifactNames.Manifest(id), ct)) return;
        await store.Delete(ArtifactNames.Content(id, kind), ct);
    }

    /// <summary>Retention: the manifest first, so that no manifest ever promises what is gone.</summary>
    public static async Task Delete(IBackupStore store, BackupId id, ContentKind kind, CancellationToken ct)
    {
        await store.Delete(ArtifactNames.Manifest(id), ct);
        await store.Delete(ArtifactNames.Content(id, kind), ct);
    }

    static async Task<SourceFacts> Through(Order order, IBackupSource source, Measure plain, Stream to, CancellationToken ct)
    {
        var last = new Fuse(to);
        // Disposing the two would write their ends, which a failed run must not: the fuse keeps them from the store.
        await using var encrypting = await OpenSslLayout.Write(last, order.Key.Hex, OpenSslLayout.ForKeys, ct);
        await using var sealing = new Handover(encrypting, ct);
        await using var packing = new GZipStream(sealing, new ZLibCompressionOptions { CompressionLevel = order.GzipLevel }, leaveOpen: true);
        await using var feeding = new Handover(packing, ct);
        try
        {
            var facts = await source.Write(plain.Before(feeding), ct);
            await feeding.Complete();
            // Only its disposal writes gzip's last bytes.
            await packing.DisposeAsync();
            await sealing.Complete();
            await encrypting.FlushFinalBlockAsync(ct);
            return facts;
        }
        catch
        {
            last.Blow();
            sealing.GiveUp();
            feeding.GiveUp();
            throw;
        }
    }

    /// <summary>Lets everything through until it is blown, then nothing.</summary>
    sealed class Fuse(Stream inner) : WritingStream
    {
        volatile bool blown;

        public void Blow() => blown = true;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            blown ? ValueTask.CompletedTask : inner.WriteAsync(buffer, cancellationToken);
    }
}
