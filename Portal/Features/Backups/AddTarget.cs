using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Adds a database or a directory as something that can be backed up, once it was reached.</summary>
public sealed class AddTarget(IDbContextFactory<PortalDbContext> contexts, TargetWays ways, TimeProvider clock)
{
    /// <param name="Connection">Of a PostgreSQL database, with its password; or</param>
    /// <param name="Path">a directory of this machine.</param>
    public sealed record Request(string? Name, string? Connection, string? Path);

    public async Task<BackupTargetId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        if (string.IsNullOrWhiteSpace(request.Connection) == string.IsNullOrWhiteSpace(request.Path)) throw new DomainException("Give a connection for a database, or a path for a directory.", "connection");
        BackupTarget target;
        if (!string.IsNullOrWhiteSpace(request.Path))
        {
            target = BackupTarget.OfDirectory(request.Name ?? "", request.Path, now);
            if (!Directory.Exists(target.Place)) throw new DomainException($"There is no directory {target.Place} on this machine that the portal can enter.", "path");
        }
        else
        {
            var (place, sealing) = ways.Way(request.Connection);
            target = BackupTarget.OfDatabase(request.Name ?? "", place, now);
            target.Reach(place, sealing(target.Id));
            await ways.Try(target, ct);
        }
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.BackupTargets.Where(t => t.Name == target.Name && t.RemovedAt != null && (t.Kind == BackupTargetKind.Directory) == (target.Kind == BackupTargetKind.Directory)).OrderByDescending(t => t.CreatedAt).FirstOrDefaultAsync(ct) is { } before)
        {
            // Sealed for the row that holds it.
            if (target.Kind == BackupTargetKind.Database) target.Reach(target.Place, ways.Way(request.Connection).Sealed(before.Id));
            before.Revive(target);
            target = before;
        }
        else db.BackupTargets.Add(target);
        try
        {
            await db.Commit(new AuditEntry(actor, "backup_target.added", target.Id.ToString(), $"{target.Name}: {target.Place}", now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new DomainException($"There is a backup target \"{target.Name}\" already: choose another name.", "name");
        }
        return target.Id;
    }
}
