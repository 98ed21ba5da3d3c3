using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Adds a question that every drill of a target asks of what it restored.</summary>
public sealed class AddDrillCheck(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Target">Name or id.</param>
    public sealed record Request(string? Target, string? Name, string? Sql, DrillCheckRule Rule = DrillCheckRule.IsTrue, string? Value = null);

    public async Task<DrillCheckId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        // Its answer shows what stands in the database.
        actor.Require(Permission.RestoreBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var target = await DrilledTargets.Find(db, request.Target ?? "", ct);
        if (await db.DrillChecks.CountAsync(c => c.TargetId == target.Id, ct) >= DrillCheck.MostOfTarget) throw new DomainException($"A target has at most {DrillCheck.MostOfTarget} checks: remove one first.");
        var check = new DrillCheck(target.Id, request.Name, request.Sql, request.Rule, request.Value, now);
        db.DrillChecks.Add(check);
        try
        {
            await db.Commit(new AuditEntry(actor, "drill_check.added", check.Id.ToString(), $"{target.Name}: {check.Name}, {check.Expectation}", now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new DomainException($"{target.Name} has a check \"{check.Name}\" already: choose another name.", "name");
        }
        return check.Id;
    }
}

/// <summary>Asks a question no longer; drills that asked it keep what they heard.</summary>
public sealed class RemoveDrillCheck(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(DrillCheckId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunDrills);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var check = await db.DrillChecks.SingleOrDefaultAsync(c => c.Id == id, ct) ?? throw new NotFoundException("check");
        db.DrillChecks.Remove(check);
        await db.Commit(new AuditEntry(actor, "drill_check.removed", id.ToString(), check.Name, clock.GetUtcNow()), ct);
    }
}
