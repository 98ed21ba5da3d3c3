using System.Globalization;
using System.Text.Json;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;

namespace Portal.Infrastructure.Persistence.Audit;

/// <summary>Anchors of the audit chain in a store of backups, one small object each: <c>audit/LOG/SEQUENCE.json</c>. They are written once and never changed or removed.</summary>
public sealed class AuditAnchors(IBackupStore store)
{
    const string Prefix = "audit/", Ending = ".json";
    const int LargestBytes = 4_096;

    /// <summary>Keeps the head of the chain, unless the newest anchor is of it already. What another node anchors meanwhile does not disturb it.</summary>
    /// <returns>The newest anchor; null while nothing was sealed.</returns>
    /// <exception cref="BackupFailedException">Damaged, where the log no longer holds what the newest anchor saw: nothing is written then. Otherwise what the store has to say.</exception>
    public async Task<AuditAnchor?> Keep(AuditChain chain, DateTimeOffset now, CancellationToken ct)
    {
        if (await chain.Lineage(ct) is not { } lineage)
            return await chain.Head(ct) is null ? null : throw new BackupFailedException(BackupFailure.Damaged, $"The audit log cannot be anchored: its name is missing (setting {AuditChain.NameSetting}).");
        // The store first, then the log: what another node anchors in between must not look like a loss.
        var newest = await Newest(lineage.Current, ct);
        if (newest is not null && await chain.SealAt(newest.Sequence, ct) != newest.Hash)
            throw new BackupFailedException(BackupFailure.Damaged, $"The audit log is not what it was: row {newest.Sequence}, as it was anchored at {newest.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)} in {store.Words}, is gone or another one. \"portal audit verify\" says more.");
        if (await chain.Head(ct) is not { } head) return null;
        if (newest?.Sequence == head.Sequence) return newest;
        var anchor = new AuditAnchor(lineage.Current, head.Sequence, head.Hash, now);
        await store.Put(NameOf(anchor), JsonSerializer.SerializeToUtf8Bytes(anchor, JsonSerializerOptions.Web), ct);
        return anchor;
    }

    /// <summary>Every anchor of the store, of whichever log.</summary>
    /// <exception cref="BackupFailedException">One cannot be read.</exception>
    public async Task<IReadOnlyList<AuditAnchor>> All(CancellationToken ct)
    {
        var anchors = new List<AuditAnchor>();
        await foreach (var found in store.List(Prefix, ct))
            if (found.Name.EndsWith(Ending, StringComparison.Ordinal)) anchors.Add(await Read(found.Name, ct));
        return anchors;
    }

    /// <summary>Heads of the chain that manifests of a target carry. They do not say of which log, so they count where the store is ours alone, and up to the last restore.</summary>
    public async Task<IReadOnlyList<AuditAnchor>> InManifests(string target, AuditLineage lineage, CancellationToken ct)
    {
        var (anchors, most) = (new List<AuditAnchor>(), lineage.Names.Count == 1 ? long.MaxValue : lineage.Names[^1].After);
        await foreach (var found in store.List(ArtifactNames.Backups, ct))
        {
            if (ArtifactNames.OfManifest(found.Name) is null) continue;
            try
            {
                var manifest = ManifestFile.ReadUnchecked(await store.Read(found.Name, ManifestFile.LargestBytes, ct));
                if (manifest.Target == target && manifest.Audit is { } head && head.Sequence <= most) anchors.Add(new AuditAnchor(lineage.Current, head.Sequence, head.Hash, manifest.FinishedAt));
            }
            catch (BackupFailedException)
            {
                // A damaged or newer backup is found by its own verification; here it is one witness less.
                continue;
            }
        }
        return anchors;
    }

    async Task<AuditAnchor?> Newest(string log, CancellationToken ct)
    {
        string? last = null;
        await foreach (var found in store.List($"{Prefix}{log}/", ct))
            if (found.Name.EndsWith(Ending, StringComparison.Ordinal)) last = found.Name;
        return last is null ? null : await Read(last, ct);
    }

    async Task<AuditAnchor> Read(string name, CancellationToken ct)
    {
        try
        {
            var anchor = JsonSerializer.Deserialize<AuditAnchor>(await store.Read(name, LargestBytes, ct), JsonSerializerOptions.Web);
            if (anchor is { Log: not null, Hash: not null } && NameOf(anchor) == name) return anchor;
            throw new BackupFailedException(BackupFailure.Damaged, $"{name} in {store.Words} is no anchor, or one under another's name.");
        }
        catch (JsonException e)
        {
            throw new BackupFailedException(BackupFailure.Damaged, $"{name} in {store.Words} cannot be read as an anchor: {e.Message}", e);
        }
    }

    /// <summary>Twenty digits hold every sequence, and names sort as numbers do.</summary>
    static string NameOf(AuditAnchor anchor) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{anchor.Log}/{anchor.Sequence:D20}{Ending}");
}
