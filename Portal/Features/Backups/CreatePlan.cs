using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Backs up a target again and again from now on.</summary>
public sealed class CreatePlan(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task<BackupPlanId> Execute(PlanRequest request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await db.BackupTargets.AsNoTracking().SingleOrDefaultAsync(t => t.Id == request.Target && t.RemovedAt == null, ct) ?? throw new DomainException("Choose what is to be backed up.", "target");
        await request.CheckStores(db, ct);
        var id = Id.New<BackupPlanId>(now);
        var schedule = new JobSchedule(BackUp.Kind, target.Name, new BackUp.Arguments(target.Id.ToString(), id.ToString()).ToJson(), request.Cron, request.Zone, now);
        if (request.Paused) schedule.Pause(now);
        var plan = new BackupPlan(request.Name, target.Id, schedule.Id, now, id);
        request.ApplyTo(plan, now);
        db.JobSchedules.Add(schedule);
        db.BackupPlans.Add(plan);
        await db.Commit(new AuditEntry(actor, "backup_plan.created", id.ToString(), $"{plan.Name}: {target.Name}, {schedule.Cron} {schedule.Zone}{request.Words}", now), ct);
        return id;
    }
}
