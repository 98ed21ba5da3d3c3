using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Public;

/// <summary>Everything that customers can see, as it stood at one version of the database: pages, feeds, badges and the read API are rendered from it alone.</summary>
/// <remarks>Kept on disk as JSON, so that a start without the database still serves it. A change of shape raises <see cref="CurrentFormat"/>.</remarks>
public sealed record StatusPageModel
{
    public const int CurrentFormat = 2;

    public int Format { get; init; } = CurrentFormat;
    /// <summary>The database's page version, and when it was made.</summary>
    public required long Version { get; init; }
    public required DateTimeOffset ChangedAt { get; init; }
    /// <summary>When it was read; what ages while the database is away.</summary>
    public required DateTimeOffset ReadAt { get; init; }
    public required string PageId { get; init; }
    public required bool IsDemo { get; init; }
    /// <summary>Groups in their order.</summary>
    public required IReadOnlyList<GroupView> Groups { get; init; }
    /// <summary>In the order of the page: without a group first, then by group.</summary>
    public required IReadOnlyList<ComponentView> Components { get; init; }
    /// <summary>Unresolved ones, and those of the last 90 days at least; the latest 50 in any case. Newest first.</summary>
    public required IReadOnlyList<IncidentView> Incidents { get; init; }
    /// <summary>Coming ones, those under way, and those of the last 90 days at least; the latest 50 in any case. Latest start first. What they do to components is not in these: it follows from the instant (<see cref="At"/>).</summary>
    public IReadOnlyList<MaintenanceView> Maintenances { get; init; } = [];
    /// <summary>When the first component was made or the first incident began, whichever is earlier: where the history ends. Null in a model that does not know; then what it holds decides.</summary>
    public DateTimeOffset? Beginning { get; init; }
    /// <summary>Response times that the page shows, oldest point first.</summary>
    public required IReadOnlyList<ResponseTimeSeries> ResponseTimes { get; init; }

    /// <summary>As it reads at an instant: maintenance begins and ends by itself, also while nothing can be read.</summary>
    public StatusPageModel At(DateTimeOffset asOf)
    {
        if (Maintenances.Count == 0) return this;
        var announced = Maintenances.SelectMany(m => m.Components.Select(c => c.Announced(m, asOf))).OfType<StatusSpan>().ToLookup(s => s.Component);
        return this with { Components = [.. Components.Select(c => announced[c.Id].ToList() is { Count: > 0 } own ? c.Announce(own, asOf) : c)] };
    }
}

public sealed record GroupView(ComponentGroupId Id, string Name, int Position, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <param name="Status">Effective, by the decided precedence; of a model as it was read, without maintenance windows.</param>
/// <param name="Since">Since when it has this status; null when unknown.</param>
/// <param name="ObservedFrom">When observation began: the first check, or the creation where no monitor watches.</param>
/// <param name="Spans">What made it unwell within the last 91 days.</param>
/// <param name="Gaps">Time without observation within the last 91 days; the end is null while it lasts.</param>
public sealed record ComponentView(
    ComponentId Id, string Slug, string Name, string? Description, ComponentGroupId? Group, int Position, ComponentStatus Status, DateTimeOffset? Since,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset ObservedFrom, bool IsMonitored,
    IReadOnlyList<StatusSpan> Spans, IReadOnlyList<GapView> Gaps)
{
    /// <summary>Monitors should watch it, none of them does at present, and nobody says how it is. The read API has no word for that and calls it operational.</summary>
    public bool IsUnknown { get; init; }

    internal ComponentView Announce(IReadOnlyList<StatusSpan> announced, DateTimeOffset asOf)
    {
        var spans = StatusTimeline.Announce(Spans, announced);
        var covered = announced.Any(s => s.To is null);
        return this with { Status = StatusRules.Effective(covered, Status, []), Spans = spans, Since = StatusTimeline.Since(spans, asOf), IsUnknown = IsUnknown && !covered };
    }
}

public sealed record GapView(DateTimeOffset From, DateTimeOffset? To, string Reason);

/// <param name="Updates">Public ones only, oldest first.</param>
/// <param name="Components">What it says of each component now (or said last).</param>
public sealed record IncidentView(
    IncidentId Id, string Title, Severity Severity, Indicator Impact, IncidentStatus Status, DateTimeOffset StartedAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
    DateTimeOffset? MonitoringAt, DateTimeOffset? ResolvedAt, DateTimeOffset? NextUpdateBy,
    IReadOnlyList<UpdateView> Updates, IReadOnlyList<IncidentComponentView> Components);

/// <param name="EditedAt">When the text was last replaced; null if never.</param>
public sealed record UpdateView(IncidentUpdateId Id, IncidentStatus Status, string Body, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? EditedAt, IReadOnlyList<AffectedView> Affected);

public sealed record AffectedView(ComponentId Component, string Slug, string Name, ComponentStatus OldStatus, ComponentStatus NewStatus);

public sealed record IncidentComponentView(ComponentId Component, string Slug, string Name, ComponentStatus Status);

/// <param name="Title">What somebody chose for customers to read; the monitor's name is nowhere in the model.</param>
/// <param name="Milliseconds">Medians of equal steps; null where nothing was measured.</param>
public sealed record ResponseTimeSeries(MonitorId Monitor, string Title, ComponentId? Component, DateTimeOffset From, TimeSpan Step, IReadOnlyList<double?> Milliseconds);

/// <param name="Message">What customers were told with the announcement.</param>
/// <param name="Zone">IANA id of the zone in which it was planned.</param>
/// <param name="Updates">What was written for customers, oldest first; the edges are not among them.</param>
public sealed record MaintenanceView(
    MaintenanceId Id, string Title, string Message, MaintenanceTimes Times, string Zone, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, int Sequence,
    IReadOnlyList<MaintenanceUpdateView> Updates, IReadOnlyList<MaintainedView> Components)
{
    /// <summary>Everything that customers are told of it, newest first: the announcement, what came by itself until then, what was written.</summary>
    public IReadOnlyList<MaintenanceUpdateView> Timeline(DateTimeOffset asOf) =>
        [.. Updates.Append(new(MaintenanceUpdateId.Of(Id, MaintenanceStatus.Scheduled), MaintenanceStatus.Scheduled, Message, CreatedAt))
            .Concat(Times.Edges.Where(e => e.At <= asOf).Select(e => new MaintenanceUpdateView(MaintenanceUpdateId.Of(Id, e.Status), e.Status, null, e.At)))
            .OrderByDescending(u => u.CreatedAt).ThenByDescending(u => u.Status).ThenByDescending(u => u.Id.Value)];

    /// <summary>When anything that customers read of it last changed.</summary>
    public DateTimeOffset ChangedAt(DateTimeOffset asOf) => Timeline(asOf).Select(u => u.CreatedAt).Append(UpdatedAt).Max();
}

/// <param name="Body">Null for an edge that came by itself: the page's own words stand there.</param>
public sealed record MaintenanceUpdateView(MaintenanceUpdateId Id, MaintenanceStatus Status, string? Body, DateTimeOffset CreatedAt);

/// <param name="Covered">When the window covers it, by what is known now.</param>
/// <param name="IsNamed">False for one that was taken out while the work was under way.</param>
public sealed record MaintainedView(ComponentId Component, string Slug, string Name, Interval Covered, bool IsNamed = true)
{
    /// <summary>Null as long as it has not begun; its end is null while it lasts.</summary>
    internal StatusSpan? Announced(MaintenanceView window, DateTimeOffset asOf) => Covered.IsEmpty || Covered.From > asOf ? null
        : new StatusSpan(Component, ComponentStatus.UnderMaintenance, StatusCause.Maintenance, Covered.From, Covered.To <= asOf ? Covered.To : null, window.Id.Value, window.Title);
}
