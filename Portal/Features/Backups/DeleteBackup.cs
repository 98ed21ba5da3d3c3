using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Deletes a backup by hand. It cannot be brought back.</summary>
public sealed class DeleteBackup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(BackupId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        // The upkeep and running jobs write the same rows: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var backup = await db.Backups.SingleOrDefaultAsync(b => b.Id == id && b.State == BackupState.Kept, ct) ?? throw new NotFoundException("backup");
            if (backup.IsPinned) throw new DomainException("Somebody keeps this backup on purpose: let it go first.");
            if (await ApplyRetention.IsHeld(db, id, ct)) throw new DomainException("A restore or a drill reads this backup just now: wait for its end.");
            // Of a target that has one left, that one is what everything depends on.
            if (backup.Damage is null && !await db.Backups.AnyAsync(b => b.TargetId == backup.TargetId && b.Id != id && b.State == BackupState.Kept && b.Damage == null, ct))
                throw new DomainException("This is the only good backup of its target: make another one first.");
            backup.Delete($"by {actor.Name}", now);
            await db.Commit(new AuditEntry(actor, "backup.deleted", id.ToString(), $"of {backup.At:yyyy-MM-dd HH:mm} UTC", now), ct);
            return id;
        });
    }
}
