using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;

namespace Portal.Tests.Feeds;

/// <summary>Models of a page as the publisher hands them to renderers.</summary>
static class PageModels
{
    public static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, 123, TimeSpan.Zero);
    public static readonly PublicSettings Settings = new("https://status.example.com", "Example & Sons", TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
    public static readonly RenderContext Context = new(Now, Settings, false);

    public static StatusPageModel Of(IReadOnlyList<ComponentView> components, IReadOnlyList<IncidentView>? incidents = null, IReadOnlyList<GroupView>? groups = null) => new()
    {
        Version = 7,
        ChangedAt = Now,
        ReadAt = Now,
        PageId = "01980000000070008000000000000001",
        IsDemo = false,
        Groups = groups ?? [],
        Components = components,
        Incidents = incidents ?? [],
        ResponseTimes = [],
    };

    public static ComponentView Component(string name, ComponentStatus status = ComponentStatus.Operational, GroupView? group = null) => new(
        Id.New<ComponentId>(Now), Text.Slug(name), name, null, group?.Id, 0, status, Now, Now, Now, Now.AddDays(-90), true, [], []);

    public static GroupView Group(string name, int position = 0) => new(Id.New<ComponentGroupId>(Now), name, position, Now, Now);

    public static IncidentView Incident(
        string title, IncidentStatus status = IncidentStatus.Investigating, Indicator impact = Indicator.None, ComponentView? component = null, params UpdateView[] updates)
    {
        var over = status is IncidentStatus.Resolved or IncidentStatus.Postmortem;
        return new IncidentView(Id.New<IncidentId>(Now), title, Severity.P1, impact, status, Now.AddHours(-1), Now.AddMinutes(-50), Now, null, over ? Now : null, null,
            updates.Length > 0 ? updates : [Update("We are looking.", status, component)],
            component is null ? [] : [new(component.Id, component.Slug, component.Name, component.Status)]);
    }

    public static UpdateView Update(string body, IncidentStatus status = IncidentStatus.Investigating, ComponentView? component = null, DateTimeOffset? edited = null) => new(
        Id.New<IncidentUpdateId>(Now), status, body, Now.AddMinutes(-50), edited ?? Now.AddMinutes(-50), edited,
        component is null ? [] : [new(component.Id, component.Slug, component.Name, ComponentStatus.Operational, component.Status)]);

    /// <param name="from">Minutes after <see cref="Now"/>; the last fifteen are for verifying.</param>
    public static MaintenanceView Maintenance(string title, int from, int to, params ComponentView[] components)
    {
        var times = new MaintenanceTimes(Now.AddMinutes(from), Now.AddMinutes(to), Now.AddMinutes(to - 15));
        var announced = Now.AddDays(-3);
        return new MaintenanceView(Id.New<MaintenanceId>(announced), title, "Saving may fail.", times, "Europe/Berlin", announced, announced, 0, [],
            [.. components.Select(c => new MaintainedView(c.Id, c.Slug, c.Name, times.UnderWay))]);
    }

    /// <summary>Groups, a long name, incidents open and over: something of everything.</summary>
    public static StatusPageModel Rich()
    {
        var (group, other) = (Group("Checkout"), Group("Empty", 1));
        var payments = Component("Payments", ComponentStatus.PartialOutage, group);
        var orphan = Component("Search", ComponentStatus.DegradedPerformance) with { Group = Id.New<ComponentGroupId>(Now), Description = "Finds <b>things</b>" };
        return Of([orphan, payments, Component("Cart", group: group)],
            [
                Incident("Card payments fail", IncidentStatus.Identified, Indicator.Major, payments),
                Incident("Deleted since", IncidentStatus.Resolved, Indicator.Minor, Component("Gone")),
                Incident("Written up", IncidentStatus.Postmortem, Indicator.Critical, payments),
            ], [group, other]) with
        {
            Maintenances = [Maintenance("To come", 600, 660, payments), Maintenance("Under way", -10, 50, payments, orphan), Maintenance("Over", -600, -540, Component("Gone"))],
        };
    }

    public static PublishedDocument Document(this IPublication publication, string path, StatusPageModel model) =>
        publication.Render(model, Context).Single(d => d.Path == path);
}
