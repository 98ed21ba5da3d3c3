using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Changes a plan, its times included; pauses and resumes it. What works goes on as it began.</summary>
public sealed class ChangePlan(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="version">As it was seen; null takes what stands.</param>
    public Task Execute(BackupPlanId id, PlanRequest request, uint? version, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        // The upkeep and running jobs write the same rows: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var plan = await db.BackupPlans.SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("plan");
            if (version is { } seen && seen != plan.Version)
                throw new ConflictException("Somebody else changed this plan since you opened it. Nothing was saved: look at what stands now and decide anew.");
            if (request.Target != plan.TargetId) throw new DomainException("What a plan backs up stays the same: make another plan.", "target");
            await request.CheckStores(db, ct);
            var schedule = await db.JobSchedules.SingleAsync(s => s.Id == plan.ScheduleId, ct);
            request.ApplyTo(plan, now);
            if (schedule.Cron != request.Cron || schedule.Zone != request.Zone || request.Paused != schedule.PausedAt is not null)
            {
                schedule.SetTimes(request.Cron, request.Zone, now);
                if (request.Paused) schedule.Pause(now);
                else schedule.Resume(now);
                await db.ExpectNoMore(schedule.Id, ct);
            }
            // A change of the schedule alone is one of the plan too, for whoever edits it.
            db.Entry(plan).Property(p => p.Name).IsModified = true;
            await db.Commit(new AuditEntry(actor, "backup_plan.changed", id.ToString(), $"{plan.Name}: {schedule.Cron} {schedule.Zone}{request.Words}", now), ct);
            return id;
        });
    }
}
