using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Queues the work of a run that is over once more, as a run of its own.</summary>
public sealed class RepeatRun(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task<JobRunId> Execute(JobRunId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageJobs);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var run = await db.JobRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("job");
        var again = run.DoAgain(actor, now);
        db.JobRuns.Add(again);
        await db.Commit(new AuditEntry(actor, "job.queued", again.Id.ToString(), $"{run.Kind}: {run.Subject}, once more", now), ct);
        return again.Id;
    }
}
