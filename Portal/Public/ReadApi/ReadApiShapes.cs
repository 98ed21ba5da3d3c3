namespace Portal.Public.ReadApi;

// The objects of /api/v2, field for field and in this order: some clients refuse anything unknown. Names become snake_case, times have milliseconds and Z.

sealed record PageShape(string Id, string Name, string Url, string TimeZone, DateTimeOffset UpdatedAt);

sealed record StatusShape(string Indicator, string Description);

record ComponentShape(
    string Id, string Name, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, int Position, string? Description, bool Showcase,
    string? StartDate, string? GroupId, string PageId, bool Group, bool OnlyShowIfDegraded);

/// <summary>A heading; its status is the worst of its components.</summary>
sealed record GroupShape(
    string Id, string Name, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, int Position, string? Description, bool Showcase,
    string? StartDate, string? GroupId, string PageId, bool Group, bool OnlyShowIfDegraded, IReadOnlyList<string> Components)
    : ComponentShape(Id, Name, Status, CreatedAt, UpdatedAt, Position, Description, Showcase, StartDate, GroupId, PageId, Group, OnlyShowIfDegraded);

sealed record IncidentShape(
    string Id, string Name, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? MonitoringAt, DateTimeOffset? ResolvedAt, string Impact,
    string Shortlink, DateTimeOffset StartedAt, string PageId, string? ReminderIntervals, IReadOnlyList<UpdateShape> IncidentUpdates, IReadOnlyList<object> Components);

/// <summary>An incident's fields and when the work is to begin and end.</summary>
sealed record MaintenanceShape(
    string Id, string Name, string Status, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset? MonitoringAt, DateTimeOffset? ResolvedAt, string Impact,
    string Shortlink, DateTimeOffset StartedAt, string PageId, string? ReminderIntervals, IReadOnlyList<UpdateShape> IncidentUpdates, IReadOnlyList<object> Components,
    DateTimeOffset ScheduledFor, DateTimeOffset ScheduledUntil);

sealed record UpdateShape(
    string Id, string Status, string Body, string IncidentId, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, DateTimeOffset DisplayAt,
    IReadOnlyList<AffectedShape>? AffectedComponents, bool DeliverNotifications, string? CustomTweet, string? TweetId);

sealed record AffectedShape(string Code, string Name, string OldStatus, string NewStatus);

sealed record SummaryDocument(
    PageShape Page, StatusShape Status, IReadOnlyList<object> Components, IReadOnlyList<IncidentShape> Incidents, IReadOnlyList<MaintenanceShape> ScheduledMaintenances);

sealed record StatusDocument(PageShape Page, StatusShape Status);

sealed record ComponentsDocument(PageShape Page, IReadOnlyList<object> Components);

sealed record IncidentsDocument(PageShape Page, IReadOnlyList<IncidentShape> Incidents);

sealed record MaintenancesDocument(PageShape Page, IReadOnlyList<MaintenanceShape> ScheduledMaintenances);
