using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Writes to a store no longer. What lies there stays, and can be verified, restored and deleted.</summary>
public sealed class RetireStore(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(BackupStoreId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        // The upkeep and running jobs write the same rows: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var store = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id && s.RetiredAt == null, ct) ?? throw new NotFoundException("store");
            if (store.IsConfigured) throw new DomainException("This store comes from the configuration: name another one there (Storage:Backups).");
            if (await db.BackupPlans.Where(p => p.StoreIds.Contains(id.Value)).Select(p => p.Name).FirstOrDefaultAsync(ct) is { } plan) throw new DomainException($"The plan \"{plan}\" writes to it: choose another store there first.");
            store.Retire(now);
            await db.Commit(new AuditEntry(actor, "backup_store.retired", id.ToString(), store.Name, now), ct);
            return id;
        });
    }
}
