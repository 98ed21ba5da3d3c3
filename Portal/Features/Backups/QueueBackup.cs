using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Backs up a target now, beside its schedule: as its first plan says, or to the configured store where it has none.</summary>
public sealed class QueueBackup(IDbContextFactory<PortalDbContext> contexts, BackUp kind, TimeProvider clock)
{
    /// <param name="Target">Name or id.</param>
    public sealed record Request(string? Target, BackupPlanId? Plan = null);

    public async Task<JobRunId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var plan = request.Plan is { } asked ? await db.BackupPlans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == asked, ct) ?? throw new NotFoundException("plan") : null;
        var target = plan is null ? await Target(db, request.Target, ct) : await db.BackupTargets.AsNoTracking().SingleAsync(t => t.Id == plan.TargetId, ct);
        plan ??= await db.BackupPlans.AsNoTracking().Where(p => p.TargetId == target.Id).OrderBy(p => p.CreatedAt).ThenBy(p => p.Id).FirstOrDefaultAsync(ct);
        var arguments = new BackUp.Arguments(target.Id.ToString(), plan?.Id.ToString()).ToJson();
        var run = new JobRun(BackUp.Kind, target.Name, arguments, kind.Rules(arguments), actor, now);
        db.JobRuns.Add(run);
        await db.Commit(new AuditEntry(actor, "backup.queued", run.Id.ToString(), target.Name, now), ct);
        return run.Id;
    }

    static async Task<BackupTarget> Target(PortalDbContext db, string? name, CancellationToken ct)
    {
        var text = Text.Required(name, "target", "The target", 60);
        var id = Id.TryParse<BackupTargetId>(text, out var known) ? known : default;
        return await db.BackupTargets.AsNoTracking().SingleOrDefaultAsync(t => (t.Name == text || t.Id == id) && t.RemovedAt == null, ct)
            ?? throw new DomainException($"There is no backup target \"{text}\": GET /api/v1/backup-targets lists all that there are.", "target");
    }
}
