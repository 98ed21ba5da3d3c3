using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Stops a run: one that waits at once, one that works as soon as its node heeds it.</summary>
public sealed class CancelRun(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(JobRunId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageJobs);
        // Its node writes the same row every few seconds.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var run = await db.JobRuns.SingleOrDefaultAsync(r => r.Id == id, ct) ?? throw new NotFoundException("job");
            if (run.CancelAskedAt is not null) return run.Id;
            run.Cancel(actor, now);
            await db.Commit(new AuditEntry(actor, "job.cancelled", run.Id.ToString(), $"{run.Kind}: {run.Subject}", now), ct);
            return run.Id;
        });
    }
}
