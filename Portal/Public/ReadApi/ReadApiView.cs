using System.Globalization;
using Portal.Api;
using Portal.Domain.Maintenance;
using Portal.Domain.StatusPages;

namespace Portal.Public.ReadApi;

/// <summary>One model in the shapes of the read API.</summary>
sealed class ReadApiView
{
    readonly StatusPageModel model;
    readonly PublicSettings settings;
    readonly Dictionary<ComponentId, ComponentShape> byId = [];

    public ReadApiView(StatusPageModel model, PublicSettings settings, DateTimeOffset asOf)
    {
        (this.model, this.settings) = (model, settings);
        Page = new PageShape(model.PageId, settings.Title, settings.BaseUrl, settings.Zone.Id, model.ChangedAt);
        Components = List();
        Incidents = [.. model.Incidents.OrderByDescending(i => i.CreatedAt).Take(ReadApiPublication.Latest).Select(Shape)];
        var unresolved = model.Incidents.Where(i => i.ResolvedAt is null).ToList();
        Unresolved = [.. unresolved.OrderByDescending(i => i.CreatedAt).Select(Shape)];
        // There is no word for cancelled: what will not take place is in none of the lists.
        var windows = model.Maintenances.Where(m => m.Times.CancelledAt is null).ToList();
        Maintenances = [.. windows.OrderByDescending(m => m.Times.StartsAt).Take(ReadApiPublication.Latest).Select(m => Shape(m, asOf))];
        Upcoming = [.. windows.Where(m => m.Times.StatusAt(asOf) == MaintenanceStatus.Scheduled).OrderBy(m => m.Times.StartsAt).Select(m => Shape(m, asOf))];
        Active = [.. windows.Where(m => m.Times.IsUnderWay(asOf)).OrderBy(m => m.Times.StartsAt).Select(m => Shape(m, asOf))];
        var (indicator, headline) = StatusRules.Overall([.. model.Components.Select(c => c.Status)], unresolved.Select(i => i.Impact));
        Status = new StatusShape(ApiJson.Word(indicator), Describe(headline));
    }

    public PageShape Page { get; }
    public StatusShape Status { get; }
    /// <summary>Components without a group first, then each group's row followed by its components.</summary>
    public IReadOnlyList<ComponentShape> Components { get; }
    public IReadOnlyList<IncidentShape> Incidents { get; }
    public IReadOnlyList<IncidentShape> Unresolved { get; }

    public IReadOnlyList<MaintenanceShape> Maintenances { get; }
    public IReadOnlyList<MaintenanceShape> Upcoming { get; }
    public IReadOnlyList<MaintenanceShape> Active { get; }

    public static string Describe(Headline headline) => headline switch
    {
        Headline.MajorSystemOutage => "Major System Outage",
        Headline.PartialSystemOutage => "Partial System Outage",
        Headline.MinorOutage => "Minor Service Outage",
        Headline.DegradedService => "Degraded System Service",
        Headline.PartiallyDegraded => "Partially Degraded Service",
        Headline.UnderMaintenance => "Service Under Maintenance",
        _ => "All Systems Operational",
    };

    List<ComponentShape> List()
    {
        var known = model.Groups.Select(g => g.Id).ToHashSet();
        var rows = new List<ComponentShape>();
        var top = 0;
        foreach (var single in model.Components.Where(c => c.Group is not { } group || !known.Contains(group))) rows.Add(Shape(single, null, ++top));
        foreach (var group in model.Groups)
        {
            var inside = model.Components.Where(c => c.Group == group.Id).ToList();
            rows.Add(new GroupShape(group.Id.ToString(), group.Name, ApiJson.Word(StatusRules.Worst(inside.Select(c => c.Status))), group.CreatedAt, group.UpdatedAt, ++top,
                null, false, null, null, model.PageId, true, false, [.. inside.Select(c => c.Id.ToString())]));
            rows.AddRange(inside.Select((c, i) => Shape(c, group.Id, i + 1)));
        }
        return rows;
    }

    ComponentShape Shape(ComponentView c, ComponentGroupId? group, int position) => byId[c.Id] = new ComponentShape(
        c.Id.ToString(), c.Name, ApiJson.Word(c.Status), c.CreatedAt, c.UpdatedAt, position, c.Description, true,
        TimeZoneInfo.ConvertTime(c.ObservedFrom, settings.Zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), group?.ToString(), model.PageId, false, false);

    IncidentShape Shape(IncidentView i) => new(
        i.Id.ToString(), i.Title, ApiJson.Word(i.Status), i.CreatedAt, i.UpdatedAt, i.MonitoringAt, i.ResolvedAt, ApiJson.Word(i.Impact),
        $"{settings.BaseUrl}/incidents/{i.Id}", i.StartedAt, model.PageId, null,
        [.. i.Updates.OrderByDescending(u => u.CreatedAt).Select(u => Shape(i, u))],
        // What was deleted since is left out, here as in the updates: nobody knows its name any more.
        [.. i.Components.Where(c => byId.ContainsKey(c.Component)).Select(c => byId[c.Component])]);

    MaintenanceShape Shape(MaintenanceView m, DateTimeOffset asOf) => new(
        m.Id.ToString(), m.Title, ApiJson.Word(m.Times.StatusAt(asOf)), m.CreatedAt, m.ChangedAt(asOf), null, m.Times.End <= asOf ? m.Times.End : null, ApiJson.Word(Indicator.Maintenance),
        $"{settings.BaseUrl}/maintenance/{m.Id}", m.Times.StartsAt, model.PageId, null,
        [.. m.Timeline(asOf).Select(u => new UpdateShape(u.Id.ToString(), ApiJson.Word(u.Status), u.Body ?? PublicText.English[$"maintenance.{u.Status}.text"], m.Id.ToString(), u.CreatedAt, u.CreatedAt, u.CreatedAt, null, true, null, null))],
        [.. m.Components.Where(c => c.IsNamed && byId.ContainsKey(c.Component)).Select(c => byId[c.Component])], m.Times.StartsAt, m.Times.EndsAt);

    static UpdateShape Shape(IncidentView i, UpdateView u) => new(
        u.Id.ToString(), ApiJson.Word(u.Status), u.Body, i.Id.ToString(), u.CreatedAt, u.UpdatedAt, u.CreatedAt,
        u.Affected.Count == 0 ? null : [.. u.Affected.Select(a => new AffectedShape(a.Component.ToString(), a.Name, ApiJson.Word(a.OldStatus), ApiJson.Word(a.NewStatus)))],
        true, null, null);
}
