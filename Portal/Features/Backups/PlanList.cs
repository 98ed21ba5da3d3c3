using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Backup plans with what they promise, what they kept of it, and what speaks against them.</summary>
public sealed class PlanList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>Success is counted over so long.</summary>
    public static readonly TimeSpan Counted = TimeSpan.FromDays(30);

    /// <param name="Good">Runs of the last 30 days that succeeded, of <paramref name="All"/> that should have.</param>
    /// <param name="Longest">Of those that succeeded.</param>
    public sealed record Successes(int Good, int All, TimeSpan? Longest)
    {
        public double? Share => All == 0 ? null : (double)Good / All;
    }

    /// <param name="Last">The newest good backup.</param>
    /// <param name="Working">The run that works or waits for its turn now.</param>
    public sealed record Row(
        BackupPlan Plan, string Target, JobSchedule Schedule, IReadOnlyList<BackupStore> Stores, Backup? Last, JobRun? Working, IReadOnlyList<DateTimeOffset> Next, TimeSpan MostLoss, Successes Runs, IReadOnlyList<PlanWarning> Warnings);

    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var plans = await db.BackupPlans.AsNoTracking().OrderBy(p => p.CreatedAt).ThenBy(p => p.Id).ToListAsync(ct);
        var schedules = await db.JobSchedules.AsNoTracking().Where(s => s.Kind == BackUp.Kind).ToDictionaryAsync(s => s.Id, ct);
        var targets = await db.BackupTargets.AsNoTracking().ToDictionaryAsync(t => t.Id, t => t.Name, ct);
        var stores = await db.BackupStores.AsNoTracking().ToDictionaryAsync(s => s.Id, ct);
        var runs = await Runs(db, now, ct);
        var working = await db.JobRuns.AsNoTracking().Where(r => r.Kind == BackUp.Kind && (r.State == RunState.Running || (r.State == RunState.Queued && r.DueAt <= now))).OrderBy(r => r.DueAt).ToListAsync(ct);
        var rows = new List<Row>();
        foreach (var plan in plans)
        {
            var last = await db.Backups.AsNoTracking().Where(b => b.PlanId == plan.Id && b.State == BackupState.Kept && b.Damage == null).OrderByDescending(b => b.At).Select(Backup.Listed).FirstOrDefaultAsync(ct);
            var proven = await db.Backups.Where(b => b.TargetId == plan.TargetId && b.RestoredAt != null).MaxAsync(b => b.RestoredAt, ct);
            var (schedule, done) = (schedules[plan.ScheduleId], runs.GetValueOrDefault(plan.Id) ?? new(0, 0, null));
            var own = plan.Stores.Select(s => stores[s]).ToList();
            var loss = PlanLint.MostLoss(schedule, now, done.Longest);
            rows.Add(new(plan, targets[plan.TargetId], schedule, own, last, working.Find(r => r.Arguments.Contains(plan.Id.ToString(), StringComparison.Ordinal)), schedule.PausedAt is null ? [.. schedule.After(now).Take(5)] : [],
                loss, done, [.. PlanLint.Of(loss, done.Longest, plan.TargetLossMinutes, own, schedule.PausedAt is not null, proven, now)]));
        }
        return rows;
    }

    /// <summary>A slot that nobody began counts as one that failed; what a person cancelled counts for nothing.</summary>
    static async Task<Dictionary<BackupPlanId, Successes>> Runs(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - Counted;
        var counts = await db.Database.SqlQuery<Count>($"""
            select arguments->>'plan' as plan, count(*) filter (where state = 'Succeeded')::int as good, count(*)::int as total, max(ended_at - started_at) filter (where state = 'Succeeded') as longest
            from job_runs where kind = {BackUp.Kind} and queued_at > {since} and ended_at is not null and state <> 'Cancelled' and arguments->>'plan' is not null group by 1
            """).ToListAsync(ct);
        return counts.Where(c => Id.TryParse<BackupPlanId>(c.Plan, out _)).ToDictionary(c => new BackupPlanId(Guid.ParseExact(c.Plan, "N")), c => new Successes(c.Good, c.Total, c.Longest));
    }

    sealed record Count(string Plan, int Good, int Total, TimeSpan? Longest);
}
