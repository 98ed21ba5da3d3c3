using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Asks for a drill now, beside its schedule.</summary>
public sealed class QueueDrill(IDbContextFactory<PortalDbContext> contexts, RunDrill kind, TimeProvider clock)
{
    /// <param name="Scenario">Its name: database-lost.</param>
    /// <param name="Target">Name or id; null is the portal's own database.</param>
    public sealed record Request(string? Scenario, string? Target = null);

    public async Task<JobRunId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        var now = clock.GetUtcNow();
        var scenario = DrillScenarios.Parse(request.Scenario);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await DrilledTargets.Find(db, request.Target ?? BackupTarget.Own, ct);
        if (await db.JobRuns.AnyAsync(r => r.Kind == RunDrill.Kind && r.Subject == target.Name && r.EndedAt == null && r.DueAt <= now, ct)) throw new DomainException($"{target.Name} is drilled already, or its drill waits for its turn.", "target");
        var arguments = new RunDrill.Arguments(target.Id.ToString(), DrillScenarios.NameOf(scenario)).ToJson();
        var run = new JobRun(RunDrill.Kind, target.Name, arguments, kind.Rules(arguments), actor, now);
        db.JobRuns.Add(run);
        await db.Commit(new AuditEntry(actor, "drill.queued", run.Id.ToString(), $"{DrillScenarios.Words(scenario)}: {target.Name}", now), ct);
        return run.Id;
    }
}

/// <summary>What can be drilled.</summary>
static class DrilledTargets
{
    /// <exception cref="DomainException">There is none of that name, or it is a directory.</exception>
    public static async Task<BackupTarget> Find(PortalDbContext db, string nameOrId, CancellationToken ct)
    {
        var text = Text.Required(nameOrId, "target", "The target", 60);
        var id = Id.TryParse<BackupTargetId>(text, out var known) ? known : default;
        var target = await db.BackupTargets.SingleOrDefaultAsync(t => (t.Name == text || t.Id == id) && t.RemovedAt == null, ct)
            ?? throw new DomainException($"There is no backup target \"{text}\": GET /api/v1/backup-targets lists all that there are.", "target");
        return target.IsDatabase ? target : throw new DomainException($"{target.Name} is a directory; drills of directories are not built yet. Restore it into a fresh one on the page of a backup.", "target");
    }
}
