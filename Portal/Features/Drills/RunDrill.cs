using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Features.Jobs;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Drills a scenario, measures what it took and seals what it found. A drill that fails is evidence as well as one that passes.</summary>
/// <remarks>It reads only the store, so backups and restores of its target go on beside it: they would otherwise miss their slots for the sake of a rehearsal.</remarks>
public sealed class RunDrill(IDbContextFactory<PortalDbContext> contexts, RehearseLostDatabase rehearsal, BackupWork backups, DrillRecords records, TimeProvider clock) : JobKind
{
    public const string Kind = "drill";

    public sealed record Arguments(string Target, string Scenario)
    {
        public string ToJson() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);
    }

    /// <param name="RecoverySeconds">RTO as it was reached.</param>
    /// <param name="LossSeconds">RPO as it was reached.</param>
    public sealed record Outcome(string Drill, string Backup, double RecoverySeconds, double RecoveryObjectiveSeconds, double LossSeconds, double LossObjectiveSeconds);

    public override string Name => Kind;

    public override string Title => "Drill";

    /// <summary>Building indexes and counting rows say nothing for long.</summary>
    public override TimeSpan StallLimit => TimeSpan.FromHours(6);

    /// <summary>One at a time: they share a disk. One whose portal ended is begun anew; one that failed has found something.</summary>
    public override RunRules Rules(string arguments) => new(Attempts: 3, Repeatable: true, Alone: Kind);

    public override string? Page(JobRunId run) => $"/admin/drills/{run}";

    public override string? InWords(JsonElement result)
    {
        var found = result.Deserialize<Outcome>(JsonSerializerOptions.Web)!;
        return DrillWords.Sentence(TimeSpan.FromSeconds(found.RecoverySeconds), TimeSpan.FromSeconds(found.RecoveryObjectiveSeconds), TimeSpan.FromSeconds(found.LossSeconds), TimeSpan.FromSeconds(found.LossObjectiveSeconds));
    }

    public override async Task<object?> Run(RunContext run, CancellationToken ct)
    {
        var notes = new DrillNotes(run, clock);
        var (drill, target) = await Begin(run, notes, ct);
        if (drill.IsOver) return Result(drill);
        var reason = await Rehearse(run, target, notes, ct);
        var ended = await records.Close(run.Id, run.Epoch, run.Attempt, notes, reason, ct);
        if (ended.Outcome != DrillOutcome.Passed) throw new DomainException(ended.Reason!);
        return Result(ended);
    }

    static Outcome Result(Drill drill) => drill.Outcome == DrillOutcome.Passed
        ? new(drill.Id.ToString(), drill.BackupId.ToString()!, drill.Recovery!.Value.TotalSeconds, drill.RecoveryObjective.TotalSeconds, drill.Loss!.Value.TotalSeconds, drill.LossObjective.TotalSeconds)
        : throw new DomainException(drill.Reason ?? "It did not pass.");

    async Task<(Drill, BackupTarget)> Begin(RunContext run, DrillNotes notes, CancellationToken ct)
    {
        var asked = run.Arguments<Arguments>();
        var scenario = DrillScenarios.Parse(asked.Scenario);
        var id = Id.TryParse<BackupTargetId>(asked.Target, out var known) ? known : throw new DomainException($"\"{asked.Target}\" is no id.");
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await db.BackupTargets.AsNoTracking().SingleOrDefaultAsync(t => t.Id == id && t.RemovedAt == null, ct) ?? throw new DomainException("What was to be drilled was removed meanwhile.", "target");
        notes.Lost(await rehearsal.FailureTime(target, notes, ct));
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await DrillRecords.Fence(db, run.Id, run.Epoch, ct);
        if (await db.Drills.SingleOrDefaultAsync(d => d.Id == run.Id, ct) is { } drill)
        {
            // The attempt before had sealed what it found, and ended before it could say so.
            if (drill.IsOver) return (drill, target);
            drill.Begin(clock.GetUtcNow());
        }
        else
        {
            var job = await db.JobRuns.AsNoTracking().SingleAsync(r => r.Id == run.Id, ct);
            var loss = await db.BackupPlans.Where(p => p.TargetId == id).MinAsync(p => (int?)p.TargetLossMinutes, ct);
            var objectives = loss is { } minutes ? DrillObjectives.Standard with { Loss = TimeSpan.FromMinutes(minutes) } : DrillObjectives.Standard;
            drill = new Drill(run.Id, scenario, target, objectives, job.RequestedBy, job.RequestedById, clock.GetUtcNow());
            db.Drills.Add(drill);
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return (drill, target);
    }

    /// <returns>Why it did not pass; null where it did.</returns>
    async Task<string?> Rehearse(RunContext run, BackupTarget target, DrillNotes notes, CancellationToken ct)
    {
        var backup = await Choose(run, target, ct);
        if (backup is null) return $"There is no backup of {target.Name}: nothing could be restored.";
        try
        {
            await rehearsal.Run(ScratchPlace.NameOf(run.Id, run.Attempt), target, backup, notes, ct);
            var different = notes.Compared.Count(l => !l.IsEqual);
            var wrong = notes.Checks.Where(c => !c.Passed).Select(c => c.Name).ToList();
            if (different > 0) return $"What was restored is not what was backed up: {different} of {notes.Compared.Count} things differ.";
            if (wrong.Count > 0) return $"{wrong.Count} of {notes.Checks.Count} checks of the data did not pass: {string.Join(", ", wrong)}.";
            await backups.Note(backup.Id, b => b.Verified(notes.Checks.Count > 0 ? VerificationLevel.Data : VerificationLevel.Restored, clock.GetUtcNow()), ct);
            return null;
        }
        catch (BackupFailedException e)
        {
            if (e.Kind is BackupFailure.Damaged or BackupFailure.Missing) await backups.Note(backup.Id, b => b.Damaged(e.Message), ct);
            return e.Message;
        }
    }

    /// <summary>The newest that is not known to be damaged; from here to the end of the drill it is held.</summary>
    Task<Backup?> Choose(RunContext run, BackupTarget target, CancellationToken ct) => Contention.Settle(async () =>
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await DrillRecords.Fence(db, run.Id, run.Epoch, ct);
        if (await db.Backups.Where(b => b.TargetId == target.Id && b.State == BackupState.Kept && b.Damage == null).OrderByDescending(b => b.At).ThenByDescending(b => b.Id).FirstOrDefaultAsync(ct) is not { } backup) return null;
        var drill = await db.Drills.SingleAsync(d => d.Id == run.Id, ct);
        backup.Hold(run.Id);
        drill.Reads(backup.Id);
        try
        {
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            throw new ConflictException("The backup was changed at the same moment.");
        }
        return backup;
    });
}
