using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>From the first start the portal's own database is drilled every week, with two questions that a portal which came back must answer. Each part is made once, and stays as people change it.</summary>
public sealed class FirstDrills(IDbContextFactory<PortalDbContext> contexts, PortalOptions options, TimeProvider clock) : IStartupStep
{
    static readonly JobScheduleId Schedule = new(new Guid("0198c000-0000-7000-8000-647269000001"));

    static readonly (string Name, string Sql)[] Checks =
    [
        ("An administrator can sign in", "select count(*) from people where role = 'Admin' and deactivated_at is null and password_hash is not null"),
        ("The portal watches itself", "select count(*) from monitors where target like 'self:%'"),
    ];

    /// <summary>After the targets of the first backups.</summary>
    public int Order => 220;

    public async Task Run(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.JobSchedules.AnyAsync(s => s.Id == Schedule, ct) || await db.BackupTargets.SingleOrDefaultAsync(t => t.Kind == BackupTargetKind.Portal, ct) is not { } own) return;
        db.JobSchedules.Add(new JobSchedule(RunDrill.Kind, own.Name, ScheduleDrill.ArgumentsOf(own.Id), ScheduleDrill.Weekly, options.Public.TimeZone.Id, now, Schedule));
        foreach (var (name, sql) in Checks) db.DrillChecks.Add(new DrillCheck(own.Id, name, sql, DrillCheckRule.AtLeast, "1", now));
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            // Another node made it at the same moment.
        }
    }
}
