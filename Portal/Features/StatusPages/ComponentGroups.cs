using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.StatusPages;

/// <summary>Puts a new group at the end.</summary>
public sealed class AddComponentGroup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task<ComponentGroupId> Execute(string name, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await GroupNames.Require(db, name, null, ct);
        var last = await db.ComponentGroups.MaxAsync(g => (int?)g.Position, ct) ?? -1;
        var group = new ComponentGroup(name, last + 1, now);
        db.ComponentGroups.Add(group);
        await db.Commit(new AuditEntry(actor, "component_group.added", group.Id.ToString(), group.Name, now), ct);
        return group.Id;
    }
}

public sealed class RenameComponentGroup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Version">The row version that the editor saw.</param>
    public sealed record Request(ComponentGroupId Group, string Name, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var group = await db.ComponentGroups.SingleOrDefaultAsync(g => g.Id == request.Group, ct) ?? throw new NotFoundException("group");
        if (request.Version is { } seen && seen != group.Version)
            throw new ConflictException("Somebody else changed this group while you were editing. Nothing was saved.", group.Name);
        await GroupNames.Require(db, request.Name, group.Id, ct);
        var before = group.Name;
        group.Rename(request.Name, now);
        await db.Commit(new AuditEntry(actor, "component_group.renamed", group.Id.ToString(), $"{before} → {group.Name}", now), ct);
    }
}

/// <summary>Takes the heading away; its components stay and go to the end of those without a group.</summary>
public sealed class DeleteComponentGroup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ComponentGroupId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var group = await db.ComponentGroups.SingleOrDefaultAsync(g => g.Id == id, ct) ?? throw new NotFoundException("group");
        var next = await db.Components.CountAsync(c => c.GroupId == null, ct);
        foreach (var component in await db.Components.Where(c => c.GroupId == id).OrderBy(c => c.Position).ToListAsync(ct)) component.Move(null, next++, now);
        db.ComponentGroups.Remove(group);
        await db.Commit(new AuditEntry(actor, "component_group.deleted", id.ToString(), group.Name, now), ct);
    }
}

static class GroupNames
{
    /// <summary>Two groups of one name could not be told apart, neither by people nor by <c>group</c> in the API.</summary>
    public static async Task Require(PortalDbContext db, string name, ComponentGroupId? own, CancellationToken ct)
    {
        var wanted = name.Trim();
        var names = await db.ComponentGroups.Select(g => new { g.Id, g.Name }).ToListAsync(ct);
        if (names.Any(g => g.Id != own && string.Equals(g.Name, wanted, StringComparison.OrdinalIgnoreCase)))
            throw new DomainException($"There is a group \"{wanted}\" already.", "name");
    }
}
