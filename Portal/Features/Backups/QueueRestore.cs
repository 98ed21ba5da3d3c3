using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Asks for a restore. The backup is held until it is over.</summary>
public sealed class QueueRestore(IDbContextFactory<PortalDbContext> contexts, RestoreBackup kind, TimeProvider clock)
{
    public const string Word = "RESTORE";

    /// <param name="Into">Name of a database on the target's server, or a path for a directory.</param>
    /// <param name="Replace">Whether a database of that name may be put aside; it is kept under another name.</param>
    /// <param name="Confirm">The word RESTORE.</param>
    public sealed record Request(BackupId Backup, string? Into, string? Confirm, bool Replace = false);

    public Task<JobRunId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RestoreBackups);
        if (request.Confirm != Word) throw new DomainException($"To confirm, the word {Word} must be given.", "confirm");
        // A verification that just ended writes the same row: whoever lost that race tries again.
        return Contention.Settle(async () =>
        {
            var now = clock.GetUtcNow();
            await using var db = await contexts.CreateDbContextAsync(ct);
            var backup = await db.Backups.SingleOrDefaultAsync(b => b.Id == request.Backup, ct) ?? throw new NotFoundException("backup");
            if (backup.Damage is { } damage) throw new DomainException($"This backup must not be used: {damage}", "backup");
            var target = await db.BackupTargets.AsNoTracking().SingleAsync(t => t.Id == backup.TargetId, ct);
            if (target.RemovedAt is not null && backup.Kind == ContentKind.Database) throw new DomainException($"Nothing leads to the server of {target.Name} any more: add a target of that name under Stores and targets first.", "backup");
            var id = Id.New<JobRunId>(now);
            var restore = new Restore(id, backup, request.Into ?? "", request.Replace, actor, now);
            var arguments = JsonSerializer.Serialize(new RestoreBackup.Arguments(backup.Id.ToString(), target.Id.ToString(), restore.Into), JsonSerializerOptions.Web);
            db.JobRuns.Add(new JobRun(RestoreBackup.Kind, $"{target.Name} into {restore.Into}", arguments, kind.Rules(arguments), actor, now, id: id));
            db.Restores.Add(restore);
            backup.Hold(id);
            await db.Commit(new AuditEntry(actor, "backup.restore_queued", backup.Id.ToString(), $"{target.Name} as of {backup.At:yyyy-MM-dd HH:mm} UTC into {restore.Into}", now), ct);
            return id;
        });
    }
}
