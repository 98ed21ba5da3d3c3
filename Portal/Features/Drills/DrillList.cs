using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Drills;

namespace Portal.Features.Drills;

/// <summary>Drills, the one begun last first, and one of them with its evidence.</summary>
public sealed class DrillList(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Record">Null while it runs.</param>
    /// <param name="RecordSeal">Of the record.</param>
    /// <param name="Review">Null while nobody has signed it off.</param>
    /// <param name="SignedAt">As it was sealed.</param>
    /// <param name="IsWhole">The record and the sign-off are as they were sealed, and the rows say what they say.</param>
    /// <param name="Run">The job; null where it was forgotten.</param>
    /// <param name="Tests">Actions of earlier drills that this one has tested.</param>
    public sealed record Report(Drill Drill, DrillRecord? Record, string? RecordSeal, long? Position, DrillReview? Review, DateTimeOffset? SignedAt, bool IsWhole, IReadOnlyList<DrillAction> Actions, IReadOnlyList<DrillAction> Tests, JobRun? Run);

    public async Task<IReadOnlyList<Drill>> Load(BackupTargetId? target, JobRunId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var drills = db.Drills.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.Drills.Where(d => d.Id == last).Select(d => (DateTimeOffset?)d.StartedAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            drills = db.Drills.FromSql($"select d.*, d.xmin from drills d where (d.started_at, d.id) < ({at}, {last.Value})").AsNoTracking();
        }
        if (target is { } of) drills = drills.Where(d => d.TargetId == of);
        return await drills.OrderByDescending(d => d.StartedAt).ThenByDescending(d => d.Id).Take(take).ToListAsync(ct);
    }

    /// <exception cref="NotFoundException">There is no such drill.</exception>
    public async Task<Report> LoadOne(JobRunId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var drill = await db.Drills.AsNoTracking().SingleOrDefaultAsync(d => d.Id == id, ct) ?? throw new NotFoundException("drill");
        var links = await db.DrillEvidence.AsNoTracking().Where(e => e.DrillId == id).ToListAsync(ct);
        var (record, review) = (links.Find(l => l.Kind == DrillEvidenceKind.Record), links.Find(l => l.Kind == DrillEvidenceKind.SignOff));
        var isWhole = true;
        foreach (var link in links) isWhole &= await DrillChain.IsWhole(db, link, ct);
        isWhole &= Agrees(drill, record?.Record()) && Agrees(drill, review, record?.SealText);
        return new(drill, record?.Record(), record?.SealText, record?.Position, review?.Review(), review?.At, isWhole,
            await db.DrillActions.AsNoTracking().Where(a => a.DrillId == id).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id).ToListAsync(ct),
            await db.DrillActions.AsNoTracking().Where(a => a.TargetId == drill.TargetId && a.TestedBy == id).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id).ToListAsync(ct),
            await db.JobRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct));
    }

    /// <summary>Screens and lists show rows: they must say what was sealed. A drill that is over has a record, and no other one.</summary>
    static bool Agrees(Drill drill, DrillRecord? record) => record is null ? !drill.IsOver
        : (drill.Outcome, drill.Reason, drill.TargetName, drill.Recovery?.TotalSeconds, drill.Loss?.TotalSeconds, drill.RecoveryObjective.TotalSeconds, drill.LossObjective.TotalSeconds, drill.IsLossByCanary)
            == (record.Outcome, record.Reason, record.Target, record.Figures.Recovery, record.Figures.Loss, record.Figures.RecoveryObjective, record.Figures.LossObjective, record.Figures.Canary is not null);

    static bool Agrees(Drill drill, DrillEvidence? signature, string? recordSeal) => signature is null ? drill.SignedOffAt is null
        : signature.Review() is var review && drill.SignedOffAt is not null && (review.RecordSeal, review.Lessons, review.SignedOffBy) == (recordSeal, drill.Lessons, drill.SignedOffBy);
}
