using Microsoft.EntityFrameworkCore;
using Portal.Api;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.StatusPages;

/// <summary>Renames, describes, moves to another group, and sets a status by hand or lets monitors and incidents speak again. All of a request is saved, or nothing.</summary>
/// <remarks>The slug never changes: addresses, badges and scripts hold it.</remarks>
public sealed class ChangeComponent(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Group">Id or name of a group, made when there is none of that name; null takes it out of its group.</param>
    /// <param name="Status">Set by hand, whatever monitors and incidents say; null clears what was set.</param>
    /// <param name="Version">The row version that the editor saw; null takes what stands.</param>
    public sealed record Request(
        ComponentId Component, Given<string> Name = default, Given<string> Description = default, Given<string> Group = default, Given<ComponentStatus?> Status = default, uint? Version = null)
    {
        internal bool Describes => Name.IsGiven || Description.IsGiven || Group.IsGiven;
    }

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await Contention.Settle(() => Change(request, actor, now, ct));
    }

    async Task<ComponentId> Change(Request request, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var component = await db.Components.Include(c => c.Overrides.Where(o => o.To == null)).SingleOrDefaultAsync(c => c.Id == request.Component, ct) ?? throw new NotFoundException("component");
        if (request.Version is { } seen && seen != component.Version)
            throw new ConflictException("Somebody else changed this component while you were editing. Nothing was saved: look at what stands now and try again.", Standing(component, request));
        var done = new List<AuditEntry>();
        if (request.Describes)
        {
            await Describe(db, component, request, now, ct);
            Note("component.changed", component.Name);
        }
        if (request.Status.IsGiven && request.Status.Value != component.Override)
        {
            component.SetOverride(request.Status.Value, actor.Name, now);
            if (request.Status.Value is { } status) Note("component.status_set", $"{component.Name}: {ApiJson.Word(status).Replace('_', ' ')} by hand");
            else Note("component.status_cleared", $"{component.Name}: as monitors and incidents say");
        }
        if (done.Count > 0) await db.Commit(done, ct);
        return component.Id;

        void Note(string action, string words) => done.Add(new AuditEntry(actor, action, component.Id.ToString(), words, now));
    }

    static async Task Describe(PortalDbContext db, Component component, Request request, DateTimeOffset now, CancellationToken ct)
    {
        var group = request.Group.IsGiven ? await GroupOf.Named(db, request.Group.Value, now, ct) : component.GroupId;
        var moved = group != component.GroupId;
        var last = moved ? await db.Components.CountAsync(c => c.GroupId == group, ct) : component.Position;
        component.Describe(request.Name.Or(component.Name)!, request.Description.Or(component.Description), component.GroupId, now);
        if (moved) component.Move(group, last, now);
    }

    static string Standing(Component component, Request request) => !request.Describes ? component.Override?.ToString() ?? "no override"
        : component.Description is null ? component.Name : $"{component.Name}\n{component.Description}";
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
