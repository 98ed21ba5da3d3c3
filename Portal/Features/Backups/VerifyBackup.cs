using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Queues the verification of a backup.</summary>
public sealed class VerifyBackup(IDbContextFactory<PortalDbContext> contexts, VerifyBackups kind, TimeProvider clock)
{
    public async Task<JobRunId> Execute(BackupId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await db.Backups.Where(b => b.Id == id && b.State == BackupState.Kept).Join(db.BackupTargets, b => b.TargetId, t => t.Id, (_, t) => t.Name).SingleOrDefaultAsync(ct) ?? throw new NotFoundException("backup");
        var arguments = JsonSerializer.Serialize(new VerifyBackups.Arguments(id.ToString()), JsonSerializerOptions.Web);
        var run = new JobRun(VerifyBackups.Kind, target, arguments, kind.Rules(arguments), actor, now);
        db.JobRuns.Add(run);
        await db.Commit(new AuditEntry(actor, "backup.verification_queued", id.ToString(), target, now), ct);
        return run.Id;
    }
}
