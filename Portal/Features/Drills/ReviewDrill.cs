using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Drills;

namespace Portal.Features.Drills;

/// <summary>What people add to a drill that is over, until a second one signs it off.</summary>
public sealed class ReviewDrill(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="version">Of the drill as the writer has seen it.</param>
    /// <exception cref="ConflictException">Somebody else wrote meanwhile; it names what stands now.</exception>
    public async Task Learn(JobRunId id, string? lessons, uint version, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var drill = await Find(db, id, ct);
        if (drill.Version != version) throw new ConflictException("Somebody else changed this drill meanwhile. Nothing was saved: look at what stands now.", drill.Lessons);
        drill.Learn(lessons, actor);
        await db.Commit(new AuditEntry(actor, "drill.lessons", id.ToString(), drill.TargetName, clock.GetUtcNow()), ct);
    }

    public async Task<DrillActionId> Add(JobRunId id, string? text, string? owner, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var drill = await Find(db, id, ct);
        var now = clock.GetUtcNow();
        if (await db.DrillActions.CountAsync(a => a.DrillId == id, ct) >= DrillAction.MostOfDrill) throw new DomainException($"A drill has at most {DrillAction.MostOfDrill} actions.", "text");
        var action = new DrillAction(drill, text, owner, actor, now);
        db.DrillActions.Add(action);
        // Who signs at this moment has not read it.
        db.Entry(drill).Property(d => d.Lessons).IsModified = true;
        await db.Commit(new AuditEntry(actor, "drill_action.added", action.Id.ToString(), $"{action.Owner}: {action.Text}", now), ct);
        return action.Id;
    }

    /// <summary>Also after the drill was signed off: it is open until a later one has tested it.</summary>
    public async Task Settle(DrillActionId id, bool done, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var action = await db.DrillActions.SingleOrDefaultAsync(a => a.Id == id, ct) ?? throw new NotFoundException("action");
        if (await db.Drills.SingleAsync(d => d.Id == action.DrillId, ct) is { SignedOffAt: null } drill) db.Entry(drill).Property(d => d.Lessons).IsModified = true;
        if (done) action.Done(actor, now);
        else action.Reopen();
        await db.Commit(new AuditEntry(actor, done ? "drill_action.done" : "drill_action.reopened", id.ToString(), action.Text, now), ct);
    }

    /// <summary>What stands is sealed, and does not change any more.</summary>
    /// <param name="version">Of the drill as the signer has seen it: nobody signs what they have not read.</param>
    public async Task SignOff(JobRunId id, uint version, Actor actor, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        actor.Require(Permission.RunDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var drill = await Find(db, id, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (drill.Version != version) throw new ConflictException("Somebody changed this drill since you opened it: read what stands now, then sign it.");
        // Who asked by a key of their own asked for it.
        if (drill.RequestedById is { } by && await db.ApiKeys.AnyAsync(k => k.Id == new ApiKeyId(by) && k.CreatedBy == actor.Name, ct)) throw new DomainException("A second person signs a drill off: it was asked for with a key that you made. Ask another administrator.");
        drill.SignOff(actor, now);
        var record = await db.DrillEvidence.AsNoTracking().SingleAsync(e => e.DrillId == id && e.Kind == DrillEvidenceKind.Record, ct);
        var actions = await db.DrillActions.AsNoTracking().Where(a => a.DrillId == id).OrderBy(a => a.CreatedAt).ThenBy(a => a.Id).ToListAsync(ct);
        var review = new DrillReview(record.SealText, drill.Lessons, drill.LessonsBy, [.. actions.Select(a => new ReviewedAction(a.Text, a.Owner, a.DoneAt))], actor.Name, actor.Id);
        var link = await DrillChain.Append(db, id, DrillEvidenceKind.SignOff, review, now, ct);
        await db.Commit(new AuditEntry(actor, "drill.signed_off", id.ToString(), DrillChain.Summary(link, drill.TargetName), now), ct);
        await transaction.CommitAsync(ct);
    }

    static async Task<Drill> Find(PortalDbContext db, JobRunId id, CancellationToken ct) => await db.Drills.SingleOrDefaultAsync(d => d.Id == id, ct) ?? throw new NotFoundException("drill");
}
