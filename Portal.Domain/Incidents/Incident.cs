using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Domain.Incidents;

public readonly record struct IncidentId(Guid Value) : IId<IncidentId>
{
    public static IncidentId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>How urgent an incident is for the people who work on it; P0 is the worst. Source: seeds 18, 21.</summary>
public enum Severity { P0, P1, P2, P3 }

/// <summary>How far the work on an incident is, in the words that customers read.</summary>
public enum IncidentStatus { Investigating, Identified, Monitoring, Resolved, Postmortem }

/// <summary>Defaults that follow from a severity; a person may choose otherwise.</summary>
public static class SeverityRules
{
    /// <summary>How bad it is for customers: P0 critical, P1 major, P2 minor, P3 none.</summary>
    public static Indicator Impact(this Severity severity) => severity switch
    {
        Severity.P0 => Indicator.Critical,
        Severity.P1 => Indicator.Major,
        Severity.P2 => Indicator.Minor,
        _ => Indicator.None,
    };

    /// <summary>How soon the public is promised the next word: 15 min, 30 min, 60 min, 4 h. Source: seeds 18.</summary>
    public static TimeSpan UpdateEvery(this Severity severity) => severity switch
    {
        Severity.P0 => TimeSpan.FromMinutes(15),
        Severity.P1 => TimeSpan.FromMinutes(30),
        Severity.P2 => TimeSpan.FromMinutes(60),
        _ => TimeSpan.FromHours(4),
    };
}

/// <summary>What an update says of one component.</summary>
public sealed record ComponentChange(ComponentId Component, ComponentStatus Status);

/// <summary>Something is wrong, from the first word to the last: a timeline of updates, and what it does to components.</summary>
public sealed class Incident
{
    /// <summary>How far back an incident may be dated.</summary>
    public static readonly TimeSpan OldestStart = TimeSpan.FromDays(366);

    Incident() { }

    /// <param name="impact">Null takes the severity's default.</param>
    /// <param name="startedAt">When it began for customers; at most <see cref="OldestStart"/> ago and not in the future; null is now.</param>
    /// <param name="id">Made by whoever declares, so that a declaration sent twice is one incident; null makes one.</param>
    public Incident(string title, Severity severity, Indicator? impact, DateTimeOffset? startedAt, DateTimeOffset now, IncidentId? id = null)
    {
        if (startedAt > now.AddMinutes(1)) throw new DomainException("The incident cannot begin in the future.", "startedAt");
        if (startedAt < now - OldestStart) throw new DomainException("An incident can be dated back by at most 366 days.", "startedAt");
        if (impact == Indicator.Maintenance) throw new DomainException("An incident's impact is none, minor, major or critical.", "impact");
        Id = id ?? Shared.Id.New<IncidentId>(now);
        Title = Text.Required(title, "title", "The title", Text.TitleLength);
        Severity = severity;
        Impact = impact ?? severity.Impact();
        Status = IncidentStatus.Investigating;
        CreatedAt = UpdatedAt = now;
        StartedAt = startedAt is { } start && start < now ? start : now;
    }

    public IncidentId Id { get; private set; }
    public string Title { get; private set; } = "";
    public Severity Severity { get; private set; }
    public Indicator Impact { get; private set; }
    public IncidentStatus Status { get; private set; }
    public DateTimeOffset StartedAt { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    /// <summary>The last change that the public may see or that staff made to the incident itself.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }
    public DateTimeOffset? MonitoringAt { get; private set; }
    public DateTimeOffset? ResolvedAt { get; private set; }
    /// <summary>When the public was promised the next word; null when nothing is promised.</summary>
    public DateTimeOffset? NextUpdateBy { get; private set; }
    /// <summary>Newest last.</summary>
    public IReadOnlyList<IncidentUpdate> Updates => updates;
    readonly List<IncidentUpdate> updates = [];
    /// <summary>What the incident did to components, and when; at most one open span a component.</summary>
    public IReadOnlyList<IncidentEffect> Effects => effects;
    readonly List<IncidentEffect> effects = [];
    public uint Version { get; private set; }

    public bool IsResolved => ResolvedAt is not null;

    /// <summary>What the incident says of each component that it touches now, or touched last if it is resolved.</summary>
    public IEnumerable<IncidentEffect> Current => effects.GroupBy(e => e.ComponentId).Select(g => g.OrderBy(e => e.From).ThenBy(e => e.To is null).Last());

    public void Retitle(string title, DateTimeOffset now) =>
        (Title, UpdatedAt) = (Text.Required(title, "title", "The title", Text.TitleLength), now);

    /// <param name="impact">Null takes the new severity's default.</param>
    public void Rate(Severity severity, Indicator? impact, DateTimeOffset now)
    {
        if (impact == Indicator.Maintenance) throw new DomainException("An incident's impact is none, minor, major or critical.", "impact");
        (Severity, Impact, UpdatedAt) = (severity, impact ?? severity.Impact(), now);
    }

    /// <param name="by">In the future and within 7 days; null promises nothing.</param>
    public void Promise(DateTimeOffset? by, DateTimeOffset now)
    {
        if (by is { } at && IsResolved) throw new DomainException("A resolved incident promises no next update.", "nextUpdateBy");
        if (by <= now) throw new DomainException("The next update must be promised for a time in the future.", "nextUpdateBy");
        if (by > now.AddDays(7)) throw new DomainException("The next update can be promised at most 7 days ahead.", "nextUpdateBy");
        (NextUpdateBy, UpdatedAt) = (by, now);
    }

    /// <summary>Says something to the public (and may change the status and components), or notes it for the team.</summary>
    /// <param name="changes">The new status of components; those not named stay as they are. The resolving update ends every effect but those that it names (a later one may still change these); a first one records what is over and so ends all.</param>
    /// <param name="now">When it is posted; the first update of a back-dated incident takes effect from <see cref="StartedAt"/>.</param>
    /// <param name="id">Made by whoever posts, so that a post sent twice is one update; null makes one.</param>
    /// <param name="resolvedAt">When it ended, if the first update tells of something that is over; null is now.</param>
    public IncidentUpdate Post(
        IncidentStatus status, string message, UpdateVisibility visibility, IReadOnlyList<ComponentChange> changes, Actor author, DateTimeOffset now, IncidentUpdateId? id = null, DateTimeOffset? resolvedAt = null)
    {
        if (resolvedAt is { } given) RequireEnd(given, status, now);
        if (visibility == UpdateVisibility.Internal)
        {
            if (changes.Count > 0) throw new DomainException("A note for the team cannot change components: post a public update.", "components");
            var note = new IncidentUpdate(this, Status, message, visibility, [], author, now, id);
            updates.Add(note);
            return note;
        }
        if (IsResolved && status != IncidentStatus.Postmortem && status != IncidentStatus.Resolved)
            throw new DomainException("A resolved incident is history: open a new one.", "status");
        if (!IsResolved && status == IncidentStatus.Postmortem)
            throw new DomainException("A post-mortem follows the resolution: resolve the incident first.", "status");
        if (changes.Select(c => c.Component).Distinct().Count() != changes.Count)
            throw new DomainException("A component is named twice.", "components");
        if (IsResolved && changes.Any(c => !effects.Any(e => e.To is null && e.ComponentId == c.Component)))
            throw new DomainException("A resolved incident no longer changes components that recovered with it.", "components");

        var effective = updates.Count == 0 ? StartedAt : now;
        var before = effects.Where(e => e.To is null).ToDictionary(e => e.ComponentId, e => e.Status);
        foreach (var change in changes) Affect(change, effective);
        Status = status;
        UpdatedAt = now;
        if (status == IncidentStatus.Monitoring) MonitoringAt ??= now;
        if (status == IncidentStatus.Resolved && !IsResolved) Resolve(updates.Count == 0 ? [] : changes, resolvedAt < now ? resolvedAt.Value : now);
        var affected = changes.Select(c => new AffectedComponent(c.Component,
            before.TryGetValue(c.Component, out var old) ? old : ComponentStatus.Operational, c.Status)).ToList();
        var update = new IncidentUpdate(this, status, message, visibility, affected, author, now, id);
        updates.Add(update);
        return update;
    }

    /// <summary>Replaces an update's text; the old one is kept.</summary>
    /// <param name="revision">The revision that the editor saw; another one means that somebody was faster.</param>
    public void Edit(IncidentUpdateId id, string message, int revision, Actor editor, DateTimeOffset now)
    {
        var update = updates.FirstOrDefault(u => u.Id == id) ?? throw new NotFoundException("update");
        update.Edit(message, revision, editor, now);
        if (update.Visibility == UpdateVisibility.Public) UpdatedAt = now;
    }

    void Affect(ComponentChange change, DateTimeOffset from)
    {
        var open = effects.FirstOrDefault(e => e.ComponentId == change.Component && e.To is null);
        if (open?.Status == change.Status) return;
        open?.Close(from);
        // After the resolution nothing will end an effect any more: recovery is the end of it.
        if (IsResolved && change.Status == ComponentStatus.Operational) return;
        effects.Add(new IncidentEffect(Id, change.Component, change.Status, from));
    }

    void RequireEnd(DateTimeOffset end, IncidentStatus status, DateTimeOffset now)
    {
        if (status != IncidentStatus.Resolved || updates.Count > 0)
            throw new DomainException("When it ended is told with the declaration of an incident that is resolved already.", "resolvedAt");
        if (end < StartedAt) throw new DomainException("The incident cannot end before it began.", "resolvedAt");
        if (end > now.AddMinutes(1)) throw new DomainException("The incident cannot have ended in the future.", "resolvedAt");
    }

    /// <summary>Ends every effect, except that a component named in the resolving update stays as it was named, unless operational.</summary>
    void Resolve(IReadOnlyList<ComponentChange> changes, DateTimeOffset at)
    {
        ResolvedAt = at;
        NextUpdateBy = null;
        var kept = changes.Where(c => c.Status != ComponentStatus.Operational).Select(c => c.Component).ToHashSet();
        foreach (var open in effects.Where(e => e.To is null && !kept.Contains(e.ComponentId))) open.Close(at);
    }
}

/// <summary>A span in which an incident gave a component a status, half-open; open while <see cref="To"/> is null.</summary>
public sealed class IncidentEffect
{
    IncidentEffect() { }

    internal IncidentEffect(IncidentId incident, ComponentId component, ComponentStatus status, DateTimeOffset from) =>
        (Id, IncidentId, ComponentId, Status, From) = (Guid.CreateVersion7(from), incident, component, status, from);

    public Guid Id { get; private set; }
    public IncidentId IncidentId { get; private set; }
    public ComponentId ComponentId { get; private set; }
    public ComponentStatus Status { get; private set; }
    public DateTimeOffset From { get; private set; }
    public DateTimeOffset? To { get; private set; }

    internal void Close(DateTimeOffset at) => To = at > From ? at : From;
}
