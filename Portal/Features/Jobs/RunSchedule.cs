using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Queues the work of a schedule now, beside its slots.</summary>
public sealed class RunSchedule(IDbContextFactory<PortalDbContext> contexts, IEnumerable<JobKind> kinds, TimeProvider clock)
{
    public async Task<JobRunId> Execute(JobScheduleId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageJobs);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var schedule = await db.JobSchedules.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("schedule");
        var kind = kinds.SingleOrDefault(k => k.Name == schedule.Kind) ?? throw new DomainException($"This version of the portal knows no job of the kind {schedule.Kind}.");
        var run = new JobRun(schedule.Kind, schedule.Subject, schedule.Arguments, kind.Rules(schedule.Arguments), actor, now);
        db.JobRuns.Add(run);
        await db.Commit(new AuditEntry(actor, "job.queued", run.Id.ToString(), $"{schedule.Kind}: {schedule.Subject}", now), ct);
        return run.Id;
    }
}
