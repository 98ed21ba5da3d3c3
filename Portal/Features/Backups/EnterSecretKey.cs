using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Gives a bucket another secret key, once it was tried: that of one which left the configuration is known to nobody here, and keys are changed.</summary>
public sealed class EnterSecretKey(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TimeProvider clock)
{
    /// <param name="AccessKey">Null for the one that is known.</param>
    public sealed record Request(BackupStoreId Store, string? SecretKey, string? AccessKey = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var secret = Text.Required(request.SecretKey, "secretKey", "The secret key", 500);
        await using var seen = await contexts.CreateDbContextAsync(ct);
        var place = Changed(await Find(seen, request.Store, ct), request.AccessKey);
        var there = opening.Place(place, () => secret);
        using var closing = there as IDisposable;
        await AddStore.Refuse(there, "secretKey", ct);
        // The daily look at the store writes the same row.
        await Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var store = await Find(db, request.Store, ct);
            store.Follow(Changed(store, request.AccessKey));
            store.KeepSecret(opening.SealedSecret(store.Id, secret));
            store.Probed(now, null, null, null);
            await db.Commit(new AuditEntry(actor, "backup_store.secret_entered", store.Id.ToString(), $"{store.Name}: {store.Place.Words}", now), ct);
            return store.Id;
        });
    }

    static async Task<BackupStore> Find(PortalDbContext db, BackupStoreId id, CancellationToken ct)
    {
        var store = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("store");
        if (store.Place.Bucket is null) throw new DomainException("A folder has no secret key.", "secretKey");
        return !store.IsConfigured ? store : throw new DomainException("The secret key of this store stands in the configuration (Storage:Backups:S3:SecretKey): change it there.", "secretKey");
    }

    static StorePlace Changed(BackupStore store, string? accessKey) => new StorePlace(null, store.Place.Bucket! with { AccessKey = accessKey ?? store.Place.Bucket.AccessKey }).Checked();
}
