using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Keeps a backup whatever the retention says, until it is let go.</summary>
public sealed class PinBackup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(BackupId id, bool pinned, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var backup = await db.Backups.SingleOrDefaultAsync(b => b.Id == id && b.State == BackupState.Kept, ct) ?? throw new NotFoundException("backup");
            if (backup.IsPinned == pinned) return id;
            backup.Pin(pinned);
            await db.Commit(new AuditEntry(actor, pinned ? "backup.pinned" : "backup.released", id.ToString(), $"of {backup.At:yyyy-MM-dd HH:mm} UTC", now), ct);
            return id;
        });
    }
}
