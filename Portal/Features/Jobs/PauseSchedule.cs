using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Expects no more of a schedule until it is resumed, its next slot neither; what works goes on.</summary>
public sealed class PauseSchedule(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public Task Execute(JobScheduleId id, bool paused, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageJobs);
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var schedule = await db.JobSchedules.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("schedule");
            if (paused == schedule.PausedAt is not null) return id;
            if (paused)
            {
                schedule.Pause(now);
                await db.ExpectNoMore(id, ct);
            }
            else schedule.Resume(now);
            await db.Commit(new AuditEntry(actor, paused ? "schedule.paused" : "schedule.resumed", id.ToString(), $"{schedule.Kind}: {schedule.Subject}", now), ct);
            return id;
        });
    }
}
