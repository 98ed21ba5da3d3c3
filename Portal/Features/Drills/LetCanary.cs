using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Lets a canary live in a database, or takes it away with its schema.</summary>
public sealed class LetCanary(IDbContextFactory<PortalDbContext> contexts, TargetWays ways, TimeProvider clock, ILogger<LetCanary> log)
{
    public async Task Execute(BackupTargetId id, bool lives, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await db.BackupTargets.SingleOrDefaultAsync(t => t.Id == id && t.RemovedAt == null, ct) ?? throw new NotFoundException("backup target");
        if (target.HasCanary == lives) return;
        target.LetCanary(lives);
        var canary = new Canary(await ways.Connection(target, ct));
        try
        {
            // Tried before it is relied on.
            if (lives) await canary.Beat(ct);
        }
        catch (BackupFailedException e)
        {
            throw new DomainException($"No canary can be written: {e.Message}", "canary");
        }
        await db.Commit(new AuditEntry(actor, "backup_target.canary", id.ToString(), $"{target.Name}: {(lives ? "a canary is written" : "no canary any more")}", clock.GetUtcNow()), ct);
        if (!lives) await TakeAway(canary, target, ct);
    }

    /// <summary>Nobody writes to it any more; a schema that stays disturbs nobody.</summary>
    async Task TakeAway(Canary canary, BackupTarget target, CancellationToken ct)
    {
        try
        {
            await canary.Leave(ct);
        }
        catch (BackupFailedException e)
        {
            log.LogWarning("The schema {Schema} stays in {Target}: {Reason}", Canary.Schema, target.Name, e.Message);
        }
    }
}
