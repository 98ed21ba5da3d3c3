using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Adds a place that keeps backups, once writing, reading back and deleting were tried there.</summary>
public sealed class AddStore(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TimeProvider clock)
{
    /// <param name="SecretKey">Of a bucket.</param>
    /// <param name="Passphrase">From the recovery sheet of a store that holds backups already: they are read with its key, and new ones are written under it. Empty for a new key.</param>
    public sealed record Request(string? Name, StorePlace Place, string? SecretKey = null, string? Passphrase = null);

    public async Task<BackupStoreId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        var place = request.Place.Checked();
        if (place.Bucket is not null && string.IsNullOrWhiteSpace(request.SecretKey)) throw new DomainException("A bucket needs its secret key.", "secretKey");
        var there = opening.Place(place, () => request.SecretKey!.Trim());
        using var closing = there as IDisposable;
        await Refuse(there, "place", ct);
        var key = string.IsNullOrWhiteSpace(request.Passphrase) ? DataKey.Make(Id.New<BackupKeyId>(now)) : await Known(there, request.Passphrase.Trim(), ct);
        var store = new BackupStore(request.Name ?? "", place, key.Id, now);
        store.Keep(opening.SealedKey(key));
        if (place.Bucket is not null) store.KeepSecret(opening.SealedSecret(store.Id, request.SecretKey!.Trim()));
        store.Probed(now, null, null, null);
        await using var db = await contexts.CreateDbContextAsync(ct);
        foreach (var other in await db.BackupStores.AsNoTracking().Where(s => s.RetiredAt == null).ToListAsync(ct))
            if (other.Place.Words == place.Words) throw new DomainException($"\"{other.Name}\" is that very place already.", place.Folder is null ? "bucket" : "folder");
        db.BackupStores.Add(store);
        try
        {
            await db.Commit(new AuditEntry(actor, "backup_store.added", store.Id.ToString(), $"{store.Name}: {place.Words}", now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new DomainException($"There is a store \"{store.Name}\" already: choose another name.", "name");
        }
        return store.Id;
    }

    /// <exception cref="DomainException">It does not work; what was tried, in words.</exception>
    internal static async Task Refuse(IBackupStore store, string field, CancellationToken ct)
    {
        var probe = await StoreProbe.Of(store, ct);
        if (probe.IsGood) return;
        throw new DomainException($"The store was tried and does not work. Writing: {probe.Write.Words} Reading back: {probe.ReadBack.Words} Deleting: {probe.Delete.Words}", field);
    }

    static async Task<DataKey> Known(IBackupStore store, string passphrase, CancellationToken ct)
    {
        BackupFailedException? why = null;
        try
        {
            await foreach (var found in store.List(ArtifactNames.Keys, ct))
            {
                if (ArtifactNames.OfKey(found.Name) is not { } id) continue;
                try
                {
                    return await DataKey.Unwrap(id, System.Text.Encoding.ASCII.GetString(await store.Read(found.Name, 10_000, ct)), passphrase, ct);
                }
                catch (BackupFailedException e)
                {
                    why = e;
                }
            }
        }
        catch (BackupFailedException e)
        {
            why = e;
        }
        throw new DomainException(why?.Message ?? "There is no key file in this store that a passphrase could open: leave the passphrase empty for a new key.", "passphrase");
    }
}
