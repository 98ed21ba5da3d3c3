using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Domain.Incidents;

public readonly record struct IncidentUpdateId(Guid Value) : IId<IncidentUpdateId>
{
    public static IncidentUpdateId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Public updates reach customers; internal ones never leave the staff screens.</summary>
public enum UpdateVisibility { Public, Internal }

/// <summary>A component as an update changed it.</summary>
public sealed record AffectedComponent(ComponentId Component, ComponentStatus OldStatus, ComponentStatus NewStatus);

/// <summary>An earlier text of an update.</summary>
public sealed record UpdateRevision(string Body, string ReplacedBy, DateTimeOffset ReplacedAt);

/// <summary>One entry of an incident's timeline.</summary>
public sealed class IncidentUpdate
{
    IncidentUpdate() { }

    internal IncidentUpdate(Incident incident, IncidentStatus status, string body, UpdateVisibility visibility, List<AffectedComponent> affected, Actor author, DateTimeOffset now, IncidentUpdateId? id)
    {
        Id = id ?? Shared.Id.New<IncidentUpdateId>(now);
        IncidentId = incident.Id;
        Status = status;
        Body = Text.Required(body, "message", "The message", Text.MessageLength);
        Visibility = visibility;
        Affected = affected;
        Author = author.Name;
        CreatedAt = UpdatedAt = now;
    }

    public IncidentUpdateId Id { get; private set; }
    public IncidentId IncidentId { get; private set; }
    /// <summary>The incident's status as this update left it.</summary>
    public IncidentStatus Status { get; private set; }
    /// <summary>Plain text with line breaks, at most 10,000 characters.</summary>
    public string Body { get; private set; } = "";
    public UpdateVisibility Visibility { get; private set; }
    public IReadOnlyList<AffectedComponent> Affected { get; private set; } = [];
    public string Author { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset UpdatedAt { get; private set; }
    /// <summary>Earlier texts, oldest first.</summary>
    public IReadOnlyList<UpdateRevision> Revisions { get; private set; } = [];

    /// <summary>How often the text was replaced; what an editor must have seen.</summary>
    public int Revision => Revisions.Count;

    internal void Edit(string message, int revision, Actor editor, DateTimeOffset now)
    {
        if (revision != Revision)
            throw new ConflictException(revision < Revision && Revision > 0
                ? $"{Revisions[^1].ReplacedBy} changed this update while you were writing. Nothing was saved; both texts are shown."
                : $"This update has no revision {revision}: it stands at {Revision}. Nothing was saved; its text is shown.", Body);
        var text = Text.Required(message, "message", "The message", Text.MessageLength);
        if (text == Body) return;
        Revisions = [.. Revisions, new UpdateRevision(Body, editor.Name, now)];
        (Body, UpdatedAt) = (text, now);
    }
}
