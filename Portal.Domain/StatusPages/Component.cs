using Portal.Domain.Shared;

namespace Portal.Domain.StatusPages;

public readonly record struct ComponentId(Guid Value) : IId<ComponentId>
{
    public static ComponentId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

public readonly record struct ComponentGroupId(Guid Value) : IId<ComponentGroupId>
{
    public static ComponentGroupId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>A part of the service that customers know by name. Its status is derived (<see cref="StatusRules"/>), only the override is stored.</summary>
public sealed class Component
{
    Component() { }

    public Component(string name, string? slug, string? description, ComponentGroupId? group, int position, DateTimeOffset now)
    {
        Id = Shared.Id.New<ComponentId>(now);
        CreatedAt = UpdatedAt = now;
        Name = "";
        Describe(name, description, group, now);
        Slug = slug is null ? Text.Slug(Name) : ValidSlug(slug);
        Position = position;
    }

    public ComponentId Id { get; private set; }
    /// <summary>The word in the component's address; unique, at most 60 of a-z, 0-9 and hyphen; never changes.</summary>
    public string Slug { get; private set; } = "";
    public string Name { get; private set; } = "";
    public string? Description { get; private set; }
    public ComponentGroupId? GroupId { get; private set; }
    /// <summary>Order on the page within its group, from 0; ties are broken by id.</summary>
    public int Position { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }
    /// <summary>Status set by hand; wins over monitors and incidents until it is cleared.</summary>
    public ComponentStatus? Override { get; private set; }
    /// <summary>The override's history: at most one span is open, and exactly while <see cref="Override"/> is set.</summary>
    public IReadOnlyList<StatusOverride> Overrides => overrides;
    readonly List<StatusOverride> overrides = [];
    /// <summary>xmin; a stale one refuses an edit.</summary>
    public uint Version { get; private set; }

    public void Describe(string name, string? description, ComponentGroupId? group, DateTimeOffset now)
    {
        Name = Text.Required(name, "name", "The name", Text.NameLength);
        Description = Text.Optional(description, "description", "The description", Text.DescriptionLength);
        GroupId = group;
        UpdatedAt = now;
    }

    /// <param name="status">The status to show whatever the monitors say; null clears the override.</param>
    public void SetOverride(ComponentStatus? status, string by, DateTimeOffset now)
    {
        if (status == Override) return;
        foreach (var open in overrides.Where(o => o.To is null)) open.Close(now);
        if (status is { } value) overrides.Add(new StatusOverride(Id, value, by, now));
        Override = status;
        UpdatedAt = now;
    }

    public void Move(ComponentGroupId? group, int position, DateTimeOffset now)
    {
        if (GroupId == group && Position == position) return;
        (GroupId, Position, UpdatedAt) = (group, position, now);
    }

    static string ValidSlug(string slug) => Text.IsSlug(slug) ? slug
        : throw new DomainException("The slug may have up to 60 lower-case letters, digits and hyphens, and no hyphen at either end.", "slug");
}

/// <summary>A span in which a component's status was set by hand, half-open; open while <see cref="To"/> is null.</summary>
public sealed class StatusOverride
{
    StatusOverride() { }

    internal StatusOverride(ComponentId component, ComponentStatus status, string by, DateTimeOffset from) =>
        (Id, ComponentId, Status, By, From) = (Guid.CreateVersion7(from), component, status, by, from);

    public Guid Id { get; private set; }
    public ComponentId ComponentId { get; private set; }
    public ComponentStatus Status { get; private set; }
    public string By { get; private set; } = "";
    public DateTimeOffset From { get; private set; }
    public DateTimeOffset? To { get; private set; }

    internal void Close(DateTimeOffset now) => To = now > From ? now : From;
}

/// <summary>A heading on the page that folds its components.</summary>
public sealed class ComponentGroup
{
    ComponentGroup() { }

    public ComponentGroup(string name, int position, DateTimeOffset now)
    {
        Id = Shared.Id.New<ComponentGroupId>(now);
        CreatedAt = now;
        Position = position;
        Rename(name, now);
    }

    public ComponentGroupId Id { get; private set; }
    public string Name { get; private set; } = "";
    /// <summary>Order among groups, from 0; components without a group come first.</summary>
    public int Position { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }
    public uint Version { get; private set; }

    public void Rename(string name, DateTimeOffset now) =>
        (Name, UpdatedAt) = (Text.Required(name, "name", "The name", Text.NameLength), now);

    public void Move(int position, DateTimeOffset now)
    {
        if (Position != position) (Position, UpdatedAt) = (position, now);
    }
}
