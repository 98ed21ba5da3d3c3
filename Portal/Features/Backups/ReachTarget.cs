using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Another way to a database that is backed up: a new password, another host of the same database.</summary>
public sealed class ReachTarget(IDbContextFactory<PortalDbContext> contexts, TargetWays ways, TimeProvider clock)
{
    public async Task Execute(BackupTargetId id, string? connection, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await db.BackupTargets.SingleOrDefaultAsync(t => t.Id == id && t.RemovedAt == null, ct) ?? throw new NotFoundException("backup target");
        if (target.Kind != BackupTargetKind.Database) throw new DomainException("Only the way to a database of its own can be changed.", "connection");
        var (place, sealing) = ways.Way(connection);
        target.Reach(place, sealing(id));
        await ways.Try(target, ct);
        await db.Commit(new AuditEntry(actor, "backup_target.changed", id.ToString(), $"{target.Name}: {place}", now), ct);
    }
}
