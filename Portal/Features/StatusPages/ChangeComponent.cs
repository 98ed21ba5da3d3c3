using Microsoft.EntityFrameworkCore;
using Portal.Api;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.StatusPages;

/// <summary>Renames, describes, moves to another group. The slug never changes: addresses, badges and scripts hold it.</summary>
public sealed class ChangeComponent(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Group">Id or name of a group, made when there is none of that name; null takes it out of its group.</param>
    /// <param name="Version">The row version that the editor saw; null takes what stands.</param>
    public sealed record Request(ComponentId Component, Given<string> Name = default, Given<string> Description = default, Given<string> Group = default, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var component = await db.Components.SingleOrDefaultAsync(c => c.Id == request.Component, ct) ?? throw new NotFoundException("component");
        if (request.Version is { } seen && seen != component.Version)
            throw new ConflictException("Somebody else changed this component while you were editing. Nothing was saved: look at what stands now and try again.",
                component.Description is null ? component.Name : $"{component.Name}\n{component.Description}");
        var group = request.Group.IsGiven ? await GroupOf.Named(db, request.Group.Value, now, ct) : component.GroupId;
        var moved = group != component.GroupId;
        var last = moved ? await db.Components.CountAsync(c => c.GroupId == group, ct) : component.Position;
        component.Describe(request.Name.IsGiven ? request.Name.Value! : component.Name, request.Description.Or(component.Description), component.GroupId, now);
        if (moved) component.Move(group, last, now);
        await db.Commit(new AuditEntry(actor, "component.changed", component.Id.ToString(), component.Name, now), ct);
    }
}

/// <summary>Sets a component's status by hand, whatever monitors and incidents say, or lets these speak again.</summary>
public sealed class SetComponentStatus(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Status">Null clears what was set by hand.</param>
    public sealed record Request(ComponentId Component, ComponentStatus? Status, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            var component = await db.Components.Include(c => c.Overrides.Where(o => o.To == null)).SingleOrDefaultAsync(c => c.Id == request.Component, ct) ?? throw new NotFoundException("component");
            if (request.Version is { } seen && seen != component.Version)
                throw new ConflictException("Somebody else changed this component while you were editing. Nothing was saved.", component.Override?.ToString() ?? "no override");
            component.SetOverride(request.Status, actor.Name, now);
            var action = request.Status is null ? "component.status_cleared" : "component.status_set";
            await db.Commit(new AuditEntry(actor, action, component.Id.ToString(), $"{component.Name}: {(request.Status is { } by ? ApiJson.Word(by).Replace('_', ' ') + " by hand" : "as monitors and incidents say")}", now), ct);
            return component.Id;
        });
    }
}

/// <summary>Takes a component away with its history. Its monitors stay and watch for nobody.</summary>
public sealed class DeleteComponent(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ComponentId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var component = await db.Components.SingleOrDefaultAsync(c => c.Id == id, ct) ?? throw new NotFoundException("component");
        foreach (var monitor in await db.Monitors.Where(m => m.ComponentId == id).ToListAsync(ct)) monitor.Detach(now);
        db.Components.Remove(component);
        await db.Commit(new AuditEntry(actor, "component.deleted", id.ToString(), component.Name, now), ct);
    }
}
