using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Gives a schedule other times; what it expected at the old ones it expects no more, what works goes on.</summary>
public sealed class ChangeSchedule(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Cron">Null leaves it.</param>
    /// <param name="Zone">IANA id; null leaves it.</param>
    /// <param name="Version">What the caller has seen; null where that does not matter.</param>
    public sealed record Request(JobScheduleId Schedule, string? Cron = null, string? Zone = null, uint? Version = null);

    public Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageJobs);
        // The upkeep settles its slots in the same row.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var schedule = await db.JobSchedules.SingleOrDefaultAsync(s => s.Id == request.Schedule, ct) ?? throw new NotFoundException("schedule");
            if (request.Version is { } seen && seen != schedule.Version)
                throw new ConflictException("This schedule changed meanwhile. Nothing was saved: look at what stands now and try again.", schedule.InWords());
            var before = schedule.InWords();
            if ((request.Cron ?? schedule.Cron, request.Zone ?? schedule.Zone) == (schedule.Cron, schedule.Zone)) return schedule.Id;
            schedule.SetTimes(request.Cron ?? schedule.Cron, request.Zone ?? schedule.Zone, now);
            await db.ExpectNoMore(schedule.Id, ct);
            await db.Commit(new AuditEntry(actor, "schedule.changed", schedule.Id.ToString(), $"{schedule.Kind}: {schedule.Subject}, {schedule.InWords()} instead of {before}", now), ct);
            return schedule.Id;
        });
    }
}

/// <summary>What waits for a time that a schedule no longer has.</summary>
static class ExpectedRuns
{
    /// <summary>Takes away what the schedule expects and nobody began: nothing happened, so nothing is kept of it.</summary>
    public static async Task ExpectNoMore(this PortalDbContext db, JobScheduleId schedule, CancellationToken ct) =>
        db.JobRuns.RemoveRange(await db.JobRuns.Where(r => r.ScheduleId == schedule && r.State == RunState.Queued && r.Slot != null && r.Attempt == 0).ToListAsync(ct));
}
