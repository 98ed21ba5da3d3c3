using Portal.Domain.Shared;

namespace Portal.Components.Layout;

/// <summary>One place of the staff area, for the rail, the palette and the line that says where one is.</summary>
public sealed record Place(string Name, string Address, string Icon, Permission Needs, bool IsAdministration = false);

/// <summary>Everything that the rail can show; a person sees what they may open.</summary>
public static class StaffNavigation
{
    public static IReadOnlyList<Place> Places { get; } =
    [
        new("Overview", "/ops", "overview", Permission.ViewOps),
        new("Incidents", "/ops/incidents", "incidents", Permission.ViewOps),
        new("Maintenance", "/ops/maintenance", "maintenance", Permission.ViewOps),
        new("Monitors", "/ops/monitors", "monitors", Permission.ViewMonitors),
        new("Alerts", "/ops/alerts", "alerts", Permission.ViewAlerts),
        new("On-call", "/ops/on-call", "on-call", Permission.ViewAlerts),
        new("Components", "/admin/components", "components", Permission.ManageComponents, true),
        new("Jobs", "/admin/jobs", "jobs", Permission.ManageJobs, true),
        new("Backups", "/admin/backups", "backups", Permission.ViewBackups, true),
        new("Drills", "/admin/drills", "drills", Permission.ViewDrills, true),
        new("Integrations", "/admin/integrations", "speak", Permission.ManageChannels, true),
        new("People", "/admin/people", "people", Permission.ManagePeople, true),
        new("API keys", "/admin/api-keys", "key", Permission.ManageApiKeys, true),
    ];

    /// <summary>The place that an address belongs to: the one with the longest common beginning.</summary>
    public static Place? At(string path) =>
        Places.Where(p => path == p.Address || path.StartsWith(p.Address + "/", StringComparison.Ordinal)).MaxBy(p => p.Address.Length);
}
