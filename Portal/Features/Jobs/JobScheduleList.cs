using Microsoft.EntityFrameworkCore;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Jobs;

/// <summary>Schedules with what comes next of them and what came last.</summary>
public sealed class JobScheduleList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    const int Ahead = 5;

    /// <param name="Next">Its next five times; none while it is paused.</param>
    /// <param name="Expected">The run that waits for the first of them, once it is expected.</param>
    /// <param name="Last">The latest that is over.</param>
    public sealed record View(JobSchedule Schedule, IReadOnlyList<DateTimeOffset> Next, JobRunId? Expected, JobRun? Last);

    /// <param name="after">The last of the part before.</param>
    public async Task<IReadOnlyList<View>> Load(JobScheduleId? after, int take, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var schedules = after is { } last ? db.JobSchedules.FromSql($"select s.*, s.xmin from job_schedules s where s.id > {last.Value}") : db.JobSchedules;
        return await Read(db, schedules.OrderBy(s => s.Id).Take(take), ct);
    }

    public async Task<View> Find(JobScheduleId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return (await Read(db, db.JobSchedules.Where(s => s.Id == id), ct)).SingleOrDefault() ?? throw new NotFoundException("schedule");
    }

    async Task<IReadOnlyList<View>> Read(PortalDbContext db, IQueryable<JobSchedule> schedules, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var rows = await schedules.AsNoTracking().Select(s => new
        {
            Schedule = s,
            Expected = db.JobRuns.Where(r => r.ScheduleId == s.Id && r.Slot > now && r.State == RunState.Queued).OrderBy(r => r.Slot).FirstOrDefault(),
            Last = db.JobRuns.Where(r => r.ScheduleId == s.Id && r.EndedAt != null).OrderByDescending(r => r.Slot).FirstOrDefault(),
        }).ToListAsync(ct);
        return [.. rows.Select(r => new View(r.Schedule, r.Schedule.PausedAt is null ? [.. r.Schedule.After(now).Take(Ahead)] : [], r.Expected?.Id, r.Last))];
    }
}
