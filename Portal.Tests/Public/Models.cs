using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;

namespace Portal.Tests.Public;

/// <summary>Models as the database would give them, without one.</summary>
static class Models
{
    public static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    public static readonly PublicSettings Settings = new("https://status.example", "Example", TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));

    public static RenderContext At(DateTimeOffset asOf, bool stale = false) => new(asOf, Settings, stale);

    public static StatusPageModel Page(long version = 7, string text = "We are looking.", DateTimeOffset? nextUpdateBy = null, params IncidentView[] incidents)
    {
        var payments = Component("Payments", ComponentStatus.PartialOutage, text);
        return new StatusPageModel
        {
            Version = version,
            ChangedAt = Now.AddMinutes(-10),
            ReadAt = Now,
            PageId = "01953f00000070008000000000000001",
            IsDemo = false,
            Groups = [],
            Components = [payments, Component("Search", ComponentStatus.Operational)],
            Incidents = [Incident("Card payments fail", payments, text, nextUpdateBy), .. incidents],
            ResponseTimes = [],
        };
    }

    public static ComponentView Component(string name, ComponentStatus status, string? description = null) => new(
        Id.New<ComponentId>(Now.AddDays(-100)), name.ToLowerInvariant(), name, description, null, 0, status, Now.AddMinutes(-30), Now.AddDays(-100), Now, Now.AddDays(-100), true,
        status == ComponentStatus.Operational ? [] : [new StatusSpan(new(Guid.Empty), status, StatusCause.Monitor, Now.AddMinutes(-30), null, Guid.Empty, "", TimeSpan.FromSeconds(30))], []);

    public static MaintenanceView Maintenance(string title, DateTimeOffset starts, DateTimeOffset ends, DateTimeOffset? verifies = null, params ComponentView[] components)
    {
        var times = new MaintenanceTimes(starts, ends, verifies);
        return new MaintenanceView(Id.New<MaintenanceId>(Now.AddDays(-2)), title, "Saving may fail for some minutes.", times, "Europe/Berlin", Now.AddDays(-2), Now.AddDays(-2), 0, [],
            [.. components.Select(c => new MaintainedView(c.Id, c.Slug, c.Name, times.UnderWay))]);
    }

    public static IncidentView Incident(string title, ComponentView component, string text, DateTimeOffset? nextUpdateBy = null, DateTimeOffset? startedAt = null, DateTimeOffset? resolvedAt = null)
    {
        var at = startedAt ?? Now.AddMinutes(-30);
        var status = resolvedAt is null ? IncidentStatus.Investigating : IncidentStatus.Resolved;
        return new IncidentView(Id.New<IncidentId>(at), title, Severity.P1, Indicator.Major, status, at, at, at, null, resolvedAt, nextUpdateBy,
            [new UpdateView(Id.New<IncidentUpdateId>(at), status, text, at, at, null, [])],
            [new IncidentComponentView(component.Id, component.Slug, component.Name, component.Status)]);
    }
}
