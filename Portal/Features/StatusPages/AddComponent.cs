using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.StatusPages;

/// <summary>Puts a new component at the end of its group.</summary>
public sealed class AddComponent(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Slug">Null derives a free one from the name; a given one must be free.</param>
    /// <param name="Group">Id or name of a group, made when there is none of that name; null: without a group.</param>
    public sealed record Request(string Name, string? Slug = null, string? Description = null, string? Group = null);

    public async Task<Component> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        // Two who add at once may derive the same slug: the second takes the next one.
        return await Contention.Settle(() => Add(request, actor, now, ct));
    }

    async Task<Component> Add(Request request, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var group = await GroupOf.Named(db, request.Group, now, ct);
        var position = await db.Components.CountAsync(c => c.GroupId == group, ct);
        var slug = request.Slug is { Length: > 0 } given ? await Free(db, given, ct) : await Derive(db, Text.Required(request.Name, "name", "The name", Text.NameLength), ct);
        var component = new Component(request.Name, slug, request.Description, group, position, now);
        db.Components.Add(component);
        await db.Commit(new AuditEntry(actor, "component.added", component.Id.ToString(), component.Name, now), ct);
        return component;
    }

    /// <summary>The badge of this name tells of the whole page.</summary>
    const string Reserved = "overall";

    static async Task<string> Free(PortalDbContext db, string slug, CancellationToken ct) =>
        slug == Reserved ? throw new DomainException($"The slug \"{Reserved}\" stands for the whole page. Choose another one, or leave it out.", "slug")
        : await db.Components.AnyAsync(c => c.Slug == slug, ct)
            ? throw new DomainException($"The slug \"{slug}\" is taken by another component. Choose another one, or leave it out.", "slug") : slug;

    static async Task<string> Derive(PortalDbContext db, string name, CancellationToken ct)
    {
        var slug = Text.Slug(name);
        var taken = (await db.Components.Where(c => c.Slug.StartsWith(slug.Substring(0, Math.Min(slug.Length, 50)))).Select(c => c.Slug).ToListAsync(ct)).Append(Reserved).ToHashSet();
        if (!taken.Contains(slug)) return slug;
        var stem = slug[..Math.Min(slug.Length, 50)].TrimEnd('-');
        for (var i = 2; ; i++)
            if (!taken.Contains($"{stem}-{i}")) return $"{stem}-{i}";
    }
}

static class GroupOf
{
    /// <summary>The group of this id or name; one of that name is made when there is none.</summary>
    public static async Task<ComponentGroupId?> Named(PortalDbContext db, string? idOrName, DateTimeOffset now, CancellationToken ct)
    {
        if (string.IsNullOrWhiteSpace(idOrName)) return null;
        if (Id.TryParse<ComponentGroupId>(idOrName, out var id))
            return await db.ComponentGroups.AnyAsync(g => g.Id == id, ct) ? id : throw new DomainException("There is no such group.", "group");
        var name = Text.Required(idOrName, "group", "The group's name", Text.NameLength);
        var groups = await db.ComponentGroups.Select(g => new { g.Id, g.Name, g.Position }).ToListAsync(ct);
        if (groups.FirstOrDefault(g => string.Equals(g.Name, name, StringComparison.OrdinalIgnoreCase)) is { } known) return known.Id;
        var group = new ComponentGroup(name, groups.Select(g => g.Position + 1).DefaultIfEmpty(0).Max(), now);
        db.ComponentGroups.Add(group);
        return group.Id;
    }
}
