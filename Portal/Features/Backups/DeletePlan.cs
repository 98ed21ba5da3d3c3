using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Ends a plan. Its backups stay, and no retention touches them any more.</summary>
public sealed class DeletePlan(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(BackupPlanId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        // The upkeep and running jobs write the same rows: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var plan = await db.BackupPlans.SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("plan");
            var schedule = await db.JobSchedules.SingleAsync(s => s.Id == plan.ScheduleId, ct);
            await db.ExpectNoMore(schedule.Id, ct);
            db.BackupPlans.Remove(plan);
            db.JobSchedules.Remove(schedule);
            await db.Commit(new AuditEntry(actor, "backup_plan.deleted", id.ToString(), plan.Name, now), ct);
            return id;
        });
    }
}
