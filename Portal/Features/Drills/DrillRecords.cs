using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Drills;

namespace Portal.Features.Drills;

/// <summary>Ends drills and seals what they found, in one transaction with the audit row that carries the seal.</summary>
public sealed class DrillRecords(IDbContextFactory<PortalDbContext> contexts, NodeName node, TimeProvider clock)
{
    /// <summary>By the node that worked on it, while the run is still its own.</summary>
    /// <param name="reason">Why it did not pass; null where it did.</param>
    /// <exception cref="DomainException">It is another node's by now: what was found here counts for nothing.</exception>
    public async Task<Drill> Close(JobRunId id, long epoch, int attempt, DrillNotes notes, string? reason, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await Fence(db, id, epoch, ct);
        var drill = await db.Drills.SingleAsync(d => d.Id == id, ct);
        if (notes.Loss is { } loss) drill.Measured(notes.Recovery, loss, notes.Canary is not null);
        await End(db, drill, reason is null ? DrillOutcome.Passed : DrillOutcome.Failed, reason, attempt, node.Value, notes, ct);
        await transaction.CommitAsync(ct);
        return drill;
    }

    /// <summary>Holds the run until the end of the transaction, so that nobody takes it over in between.</summary>
    /// <exception cref="DomainException">It is another node's by now.</exception>
    public static async Task Fence(PortalDbContext db, JobRunId id, long epoch, CancellationToken ct)
    {
        var ours = await db.Database.SqlQuery<int>($"select 1 as \"Value\" from job_runs where id = {id.Value} and state = 'Running' and epoch = {epoch} for update").ToListAsync(ct);
        if (ours.Count == 0) throw new DomainException("The run was taken from this node meanwhile: what it found was discarded.");
    }

    /// <summary>A drill whose run is over, and that nobody ended.</summary>
    public async Task BreakOff(JobRunId id, JobRun? run, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // One node does it, and the others find it done.
        await db.Database.ExecuteSqlAsync($"select 1 from drills where id = {id.Value} for update", ct);
        var drill = await db.Drills.SingleAsync(d => d.Id == id, ct);
        if (drill.IsOver) return;
        var reason = run switch
        {
            null => "Its run is not known any more.",
            { State: RunState.Cancelled } => $"It was cancelled{(run.CancelAskedBy is { } by ? $" by {by}" : "")}.",
            _ => run.Error ?? "It ended before it could tell what it found.",
        };
        await End(db, drill, DrillOutcome.BrokenOff, reason, run?.Attempt ?? 0, run?.Node ?? "", null, ct);
        await transaction.CommitAsync(ct);
    }

    async Task End(PortalDbContext db, Drill drill, DrillOutcome outcome, string? reason, int attempt, string by, DrillNotes? notes, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        drill.End(outcome, reason, now);
        if (outcome == DrillOutcome.Passed)
            foreach (var action in await db.DrillActions.Where(a => a.TargetId == drill.TargetId && a.TestedBy == null && a.DoneAt != null).ToListAsync(ct)) action.Tested(drill);
        var link = await DrillChain.Append(db, drill.Id, DrillEvidenceKind.Record, Record(drill, attempt, by, notes), now, ct);
        var words = outcome switch { DrillOutcome.Passed => "passed", DrillOutcome.Failed => "failed", _ => "broken off" };
        await db.Commit(new AuditEntry(Actor.System, "drill.recorded", drill.Id.ToString(), DrillChain.Summary(link, $"{drill.TargetName}, {words}. {drill.Reason}"), now), ct);
    }

    static DrillRecord Record(Drill drill, int attempt, string by, DrillNotes? notes)
    {
        var backup = notes?.Backup is var (row, store) ? new DrilledBackup(row.Id.ToString(), store, row.At, row.PlainBytes, row.StoredBytes, row.Rows) : null;
        return new(
            DrillScenarios.NameOf(drill.Scenario), drill.TargetName, drill.RequestedBy, by, attempt, drill.Outcome, drill.Reason, drill.StartedAt, notes?.FailedAt ?? drill.StartedAt, drill.EndedAt!.Value,
            backup, notes?.Versions ?? new(Hosting.PortalVersion.Text, null, null, null),
            new(drill.Recovery?.TotalSeconds, drill.RecoveryObjective.TotalSeconds, drill.Loss?.TotalSeconds, drill.LossObjective.TotalSeconds, notes?.Canary), notes?.Phases ?? [],
            notes?.Compared.Count ?? 0, [.. notes?.Compared.Where(l => !l.IsEqual) ?? []], notes?.Compared ?? [], notes?.Checks ?? [], notes?.Commands ?? [], notes?.Log ?? []);
    }
}
