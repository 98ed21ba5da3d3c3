using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Drills a target again and again from now on. When, and whether it is paused, is changed like that of every schedule.</summary>
public sealed class ScheduleDrill(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>Sundays before the day begins, apart from the check of the database at 03:30.</summary>
    public const string Weekly = "47 4 * * 0";

    /// <param name="Cron">When; every week unless given.</param>
    /// <param name="Zone">IANA id.</param>
    public sealed record Request(BackupTargetId Target, string Zone, string Cron = Weekly);

    public async Task<JobScheduleId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await DrilledTargets.Find(db, request.Target.ToString(), ct);
        // Two at once: the target's row is the one that both change.
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select 1 from backup_targets where id = {target.Id.Value} for update", ct);
        var arguments = ArgumentsOf(target.Id);
        if ((await db.JobSchedules.Where(s => s.Kind == RunDrill.Kind).ToListAsync(ct)).Exists(s => s.Arguments.Contains(target.Id.ToString(), StringComparison.Ordinal)))
            throw new DomainException($"{target.Name} is drilled by a schedule already: change that one.", "target");
        var schedule = new JobSchedule(RunDrill.Kind, target.Name, arguments, request.Cron, request.Zone, now);
        db.JobSchedules.Add(schedule);
        await db.Commit(new AuditEntry(actor, "drill.scheduled", target.Id.ToString(), $"{target.Name}, {schedule.InWords()}", now), ct);
        await transaction.CommitAsync(ct);
        return schedule.Id;
    }

    public static string ArgumentsOf(BackupTargetId target) => new RunDrill.Arguments(target.ToString(), DrillScenarios.NameOf(DrillScenario.DatabaseLost)).ToJson();
}
