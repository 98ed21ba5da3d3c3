using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Drills a target again and again from now on, at other times, or by hand only.</summary>
public sealed class ScheduleDrill(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>Sundays before the day begins, apart from the check of the database at 03:30.</summary>
    public const string Weekly = "47 4 * * 0";

    /// <param name="Zone">IANA id.</param>
    /// <param name="Version">Of the schedule as it was seen; null where there was none.</param>
    public sealed record Request(BackupTargetId Target, string Cron, string Zone, bool Paused = false, uint? Version = null);

    public Task<JobScheduleId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        // The upkeep settles slots in the same row.
        return Contention.Settle(() => Save(request, actor, ct));
    }

    async Task<JobScheduleId> Save(Request request, Actor actor, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await DrilledTargets.Find(db, request.Target.ToString(), ct);
        // Two at once: the target's row is the one that both hold.
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select 1 from backup_targets where id = {target.Id.Value} for update", ct);
        var schedule = (await db.JobSchedules.Where(s => s.Kind == RunDrill.Kind).ToListAsync(ct)).Find(s => s.Arguments.Contains(target.Id.ToString(), StringComparison.Ordinal));
        if (request.Version is { } seen ? schedule?.Version != seen : schedule is not null)
            throw new ConflictException("Somebody else changed this schedule meanwhile. Nothing was saved: look at what stands now and try again.", schedule?.InWords());
        if (schedule is null)
        {
            schedule = new JobSchedule(RunDrill.Kind, target.Name, ArgumentsOf(target.Id), request.Cron, request.Zone, now);
            db.JobSchedules.Add(schedule);
        }
        else
        {
            schedule.SetTimes(request.Cron, request.Zone, now);
            await db.ExpectNoMore(schedule.Id, ct);
        }
        if (request.Paused) schedule.Pause(now);
        else schedule.Resume(now);
        await db.Commit(new AuditEntry(actor, "drill.scheduled", target.Id.ToString(), $"{target.Name}, {schedule.InWords()}{(request.Paused ? ", paused" : "")}", now), ct);
        await transaction.CommitAsync(ct);
        return schedule.Id;
    }

    public static string ArgumentsOf(BackupTargetId target) => new RunDrill.Arguments(target.ToString(), DrillScenarios.NameOf(DrillScenario.DatabaseLost)).ToJson();
}
