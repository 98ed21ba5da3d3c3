using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Drills;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Backs something up no longer. Its backups stay; its plans must be deleted first.</summary>
public sealed class RemoveTarget(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(BackupTargetId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await db.BackupTargets.SingleOrDefaultAsync(t => t.Id == id && t.RemovedAt == null, ct) ?? throw new NotFoundException("backup target");
        if (await db.BackupPlans.Where(p => p.TargetId == id).Select(p => p.Name).FirstOrDefaultAsync(ct) is { } plan) throw new DomainException($"The plan \"{plan}\" backs it up: delete that plan first.");
        target.Remove(now);
        // What nobody backs up is not drilled by itself.
        var key = id.ToString();
        foreach (var schedule in (await db.JobSchedules.Where(s => s.Kind == RunDrill.Kind).ToListAsync(ct)).Where(s => s.Arguments.Contains(key, StringComparison.Ordinal)))
        {
            await db.ExpectNoMore(schedule.Id, ct);
            db.JobSchedules.Remove(schedule);
        }
        await db.Commit(new AuditEntry(actor, "backup_target.removed", id.ToString(), target.Name, now), ct);
    }
}
