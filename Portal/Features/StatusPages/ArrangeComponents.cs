using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.StatusPages;

/// <summary>The order of the whole page: components without a group first, then each group with its own.</summary>
public sealed record ComponentOrder(IReadOnlyList<ComponentOrder.Section> Sections)
{
    /// <param name="Group">Null only in the first section.</param>
    public sealed record Section(ComponentGroupId? Group, IReadOnlyList<ComponentId> Components);

    public static ComponentOrder Of(ComponentStatuses.View view) => new(
        [new(null, [.. view.Of(null).Select(c => c.Id)]), .. view.Groups.Select(g => new Section(g.Id, [.. view.Of(g.Id).Select(c => c.Id)]))]);

    public bool IsSameAs(ComponentOrder other) => Sections.Count == other.Sections.Count
        && Sections.Zip(other.Sections).All(s => s.First.Group == s.Second.Group && s.First.Components.SequenceEqual(s.Second.Components));

    /// <summary>One place up or down (by −1 or 1); over the edge of a section into the next one.</summary>
    public ComponentOrder Step(ComponentId component, int by)
    {
        var at = IndexOf(component);
        if (at < 0) return this;
        var place = Sections[at].Components.ToList().IndexOf(component) + by;
        if (place >= 0 && place < Sections[at].Components.Count) return Place(component, at, place);
        var into = at + by;
        return into < 0 || into >= Sections.Count ? this : Place(component, into, by < 0 ? Sections[into].Components.Count : 0);
    }

    /// <summary>One place up or down among the groups.</summary>
    public ComponentOrder Step(ComponentGroupId group, int by)
    {
        var at = Sections.ToList().FindIndex(s => s.Group == group);
        return at + by < 1 || at + by >= Sections.Count ? this : Beside(group, Sections[at + by].Group!.Value, by > 0);
    }

    public ComponentOrder Beside(ComponentId component, ComponentId other, bool after)
    {
        var into = IndexOf(other);
        if (into < 0 || IndexOf(component) < 0 || component == other) return this;
        var rest = Sections[into].Components.Where(c => c != component).ToList();
        return Place(component, into, rest.IndexOf(other) + (after ? 1 : 0));
    }

    public ComponentOrder Beside(ComponentGroupId group, ComponentGroupId other, bool after)
    {
        if (group == other || Sections.FirstOrDefault(s => s.Group == group) is not { } moved) return this;
        var rest = Sections.Where(s => s.Group != group).ToList();
        rest.Insert(rest.FindIndex(s => s.Group == other) + (after ? 1 : 0), moved);
        return new ComponentOrder(rest);
    }

    /// <summary>To the end of a group; null: of those without one.</summary>
    public ComponentOrder Into(ComponentId component, ComponentGroupId? group)
    {
        var into = Sections.ToList().FindIndex(s => s.Group == group);
        return into < 0 || IndexOf(component) < 0 ? this : Place(component, into, Sections[into].Components.Count(c => c != component));
    }

    int IndexOf(ComponentId component) => Sections.ToList().FindIndex(s => s.Components.Contains(component));

    ComponentOrder Place(ComponentId component, int section, int place) => new([.. Sections.Select((s, i) =>
    {
        var rest = s.Components.Where(c => c != component).ToList();
        if (i == section) rest.Insert(Math.Min(place, rest.Count), component);
        return s with { Components = rest };
    })]);
}

/// <summary>Saves a new order of the whole page.</summary>
public sealed class ArrangeComponents(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Seen">The order that the person saw and changed: if another one stands by now, nothing is saved.</param>
    public sealed record Request(ComponentOrder Wanted, ComponentOrder Seen);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageComponents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        // Two who arrange at once would each find their own order undisturbed and save a mixture.
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.component_order'))", ct);
        var groups = (await db.ComponentGroups.ToListAsync(ct)).OrderBy(g => g.Position).ThenBy(g => g.Id.Value).ToList();
        var components = (await db.Components.ToListAsync(ct)).OrderBy(c => c.Position).ThenBy(c => c.Id.Value).ToList();
        var stands = new ComponentOrder([new(null, Of(null)), .. groups.Select(g => new ComponentOrder.Section(g.Id, Of(g.Id)))]);
        if (!stands.IsSameAs(request.Seen))
            throw new ConflictException("Somebody else added, removed or moved components in the meantime. Nothing was moved: this is the order now.");
        if (!IsRearrangement(stands, request.Wanted)) throw new DomainException("A new order must hold every component and every group exactly once.", "order");

        for (var section = 0; section < request.Wanted.Sections.Count; section++)
        {
            var (group, members) = request.Wanted.Sections[section];
            if (group is { } id) groups.Single(g => g.Id == id).Move(section - 1, now);
            for (var place = 0; place < members.Count; place++) components.Single(c => c.Id == members[place]).Move(group, place, now);
        }
        await db.Commit(new AuditEntry(actor, "components.arranged", "components", $"{components.Count} components in {groups.Count} groups", now), ct);
        await transaction.CommitAsync(ct);

        IReadOnlyList<ComponentId> Of(ComponentGroupId? group) => [.. components.Where(c => c.GroupId == group).Select(c => c.Id)];
    }

    static bool IsRearrangement(ComponentOrder stands, ComponentOrder wanted) =>
        wanted.Sections is [{ Group: null }, ..]
        && wanted.Sections.Select(s => s.Group?.Value).Order().SequenceEqual(stands.Sections.Select(s => s.Group?.Value).Order())
        && wanted.Sections.SelectMany(s => s.Components).Select(c => c.Value).Order().SequenceEqual(stands.Sections.SelectMany(s => s.Components).Select(c => c.Value).Order());
}
