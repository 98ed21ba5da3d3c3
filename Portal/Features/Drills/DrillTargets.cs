using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Every database that can be drilled: what was proven of it last, when the next drill comes, and what is still to be done.</summary>
public sealed class DrillTargets(IDbContextFactory<PortalDbContext> contexts, CanaryKeeper canaries, TimeProvider clock)
{
    /// <param name="Last">The latest that is over.</param>
    /// <param name="Passed">The latest that passed; null where nothing was ever proven.</param>
    /// <param name="Working">The run that works or waits for its turn now, unless it has found already what it was to find.</param>
    /// <param name="Open">Actions that no drill has tested yet.</param>
    /// <param name="CanaryProblem">Why this node cannot write the canary.</param>
    public sealed record Row(BackupTarget Target, Drill? Last, Drill? Passed, JobRun? Working, JobSchedule? Schedule, DateTimeOffset? Next, bool HasBackup, IReadOnlyList<DrillCheck> Checks, IReadOnlyList<DrillAction> Open, string? CanaryProblem)
    {
        /// <summary>Proofs of more than a quarter ago prove little.</summary>
        public bool IsProofOld(DateTimeOffset now) => Passed is null || Passed.StartedAt < now.AddDays(-92);
    }

    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct) => await Load(null, actor, ct);

    /// <exception cref="NotFoundException">There is no such target, or it cannot be drilled.</exception>
    public async Task<Row> LoadOne(BackupTargetId id, Actor actor, CancellationToken ct) => (await Load(id, actor, ct)).SingleOrDefault() ?? throw new NotFoundException("backup target");

    async Task<IReadOnlyList<Row>> Load(BackupTargetId? only, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewDrills);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var targets = await db.BackupTargets.AsNoTracking().Where(t => t.RemovedAt == null && t.Kind != BackupTargetKind.Directory && (only == null || t.Id == only)).OrderBy(t => t.CreatedAt).ThenBy(t => t.Id).Select(t => new
        {
            Target = t,
            Last = db.Drills.Where(d => d.TargetId == t.Id && d.Outcome != DrillOutcome.Running).OrderByDescending(d => d.StartedAt).ThenByDescending(d => d.Id).FirstOrDefault(),
            Passed = db.Drills.Where(d => d.TargetId == t.Id && d.Outcome == DrillOutcome.Passed).OrderByDescending(d => d.StartedAt).ThenByDescending(d => d.Id).FirstOrDefault(),
            HasBackup = db.Backups.Any(b => b.TargetId == t.Id && b.State == BackupState.Kept && b.Damage == null),
        }).ToListAsync(ct);
        var ids = targets.Select(t => t.Target.Id).ToList();
        var schedules = await db.JobSchedules.AsNoTracking().Where(s => s.Kind == RunDrill.Kind).ToListAsync(ct);
        var working = await db.JobRuns.AsNoTracking().Where(r => r.Kind == RunDrill.Kind && (r.State == RunState.Running || (r.State == RunState.Queued && r.DueAt <= now))).OrderByDescending(r => r.State == RunState.Running).ThenBy(r => r.DueAt).ToListAsync(ct);
        var checks = (await db.DrillChecks.AsNoTracking().Where(c => ids.Contains(c.TargetId)).OrderBy(c => c.Name).ToListAsync(ct)).ToLookup(c => c.TargetId);
        var open = (await db.DrillActions.AsNoTracking().Where(a => ids.Contains(a.TargetId) && a.TestedBy == null).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id).ToListAsync(ct)).ToLookup(a => a.TargetId);
        return [.. targets.Select(t =>
        {
            var key = t.Target.Id.ToString();
            var schedule = schedules.Find(s => s.Arguments.Contains(key, StringComparison.Ordinal));
            return new Row(t.Target, t.Last, t.Passed, working.Find(r => r.Arguments.Contains(key, StringComparison.Ordinal) && r.Id != t.Last?.Id), schedule, schedule is { PausedAt: null } ? schedule.After(now).Cast<DateTimeOffset?>().FirstOrDefault() : null,
                t.HasBackup, [.. checks[t.Target.Id]], [.. open[t.Target.Id]], canaries.ProblemWith(t.Target.Id));
        })];
    }
}
