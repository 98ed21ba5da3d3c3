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
    /// <param name="IsWhole">The record and the sign-off are as they were sealed.</param>
    /// <param name="Run">The job; null where it was forgotten.</param>
    /// <param name="Tests">Actions of earlier drills that this one has tested.</param>
    public sealed record Report(Drill Drill, DrillRecord? Record, string? RecordSeal, long? Position, DrillReview? Review, bool IsWhole, IReadOnlyList<DrillAction> Actions, IReadOnlyList<DrillAction> Tests, JobRun? Run);

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
        // What is missing was taken away: a drill that is over has a record, and one that was signed a signature.
        isWhole &= (!drill.IsOver || record is not null) && (drill.SignedOffAt is null || review?.Review().RecordSeal == record?.SealText);
        return new(drill, record?.Record(), record?.SealText, record?.Position, review?.Review(), isWhole,
            await db.DrillActions.AsNoTracking().Where(a => a.DrillId == id).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id).ToListAsync(ct),
            await db.DrillActions.AsNoTracking().Where(a => a.TargetId == drill.TargetId && a.TestedBy == id).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id).ToListAsync(ct),
            await db.JobRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct));
    }
}
