using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>Makes a contact group, or changes one.</summary>
public sealed class ChangeContactGroup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Id">Null makes a new one.</param>
    /// <param name="Members">Null leaves them.</param>
    public sealed record Request(ContactGroupId? Id, string? Name, IReadOnlyList<GroupMember>? Members, uint? Version = null);

    public async Task<ContactGroupId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var group = request.Id is { } id ? await db.ContactGroups.SingleOrDefaultAsync(g => g.Id == id, ct) ?? throw new NotFoundException("contact group") : null;
        if (group is not null && request.Version is { } seen && seen != group.Version) throw new ConflictException("Somebody else changed this group meanwhile. Nothing was saved: look at what stands now.");
        var named = (request.Members ?? []).Select(m => m.Channel).OfType<ChannelId>().Distinct().ToList();
        if (await db.Channels.CountAsync(c => named.Contains(c.Id), ct) != named.Count) throw new DomainException("A member names a channel that does not exist.", "members");
        if (group is null) db.ContactGroups.Add(group = new ContactGroup(request.Name ?? "", request.Members ?? [], now));
        else group.Change(request.Name ?? group.Name, request.Members ?? group.Members);
        try
        {
            await db.Commit(new AuditEntry(actor, request.Id is null ? "contact_group.added" : "contact_group.changed", group.Id.ToString(), group.Name, now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new DomainException($"There is a group \"{group.Name}\" already: choose another name.", "name");
        }
        return group.Id;
    }
}

/// <summary>Deletes a contact group that no policy tells.</summary>
public sealed class DeleteContactGroup(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ContactGroupId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var group = await db.ContactGroups.SingleOrDefaultAsync(g => g.Id == id, ct) ?? throw new NotFoundException("contact group");
        var target = EscalationTarget.Of(id);
        var users = (await db.EscalationPolicies.AsNoTracking().ToListAsync(ct)).Where(p => p.Current.Steps.Any(s => s.Targets.Contains(target))).Select(p => p.Name).ToList();
        if (users.Count > 0) throw new DomainException($"{group.Name} is told by the policy {string.Join(", ", users.Take(10))}. Take it out there first.");
        db.ContactGroups.Remove(group);
        await db.Commit(new AuditEntry(actor, "contact_group.deleted", id.ToString(), group.Name, clock.GetUtcNow()), ct);
    }
}

/// <summary>Contact groups in the order of their names.</summary>
public sealed class ContactGroupList(IDbContextFactory<PortalDbContext> contexts)
{
    public async Task<IReadOnlyList<ContactGroup>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.ContactGroups.AsNoTracking().OrderBy(g => g.Name).ToListAsync(ct);
    }
}
