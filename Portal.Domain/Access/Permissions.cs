using Portal.Domain.Shared;

namespace Portal.Domain.Access;

/// <summary>What a person is here for. Ordered: each role may do what the ones before it may.</summary>
public enum Role { Staff, Admin }

/// <summary>The one table of who may do what: pages, endpoints and use cases all read it.</summary>
public static class Permissions
{
    static readonly IReadOnlyDictionary<Permission, (Role Least, string Scope, string Words)> Table = new Dictionary<Permission, (Role, string, string)>
    {
        [Permission.ViewOps] = (Role.Staff, "ops:read", "See the overview, incidents and maintenance, with the notes for the team."),
        [Permission.RunIncidents] = (Role.Staff, "incidents:write", "Declare, update and resolve incidents."),
        [Permission.RunMaintenance] = (Role.Staff, "maintenance:write", "Schedule, change, start, end and cancel maintenance."),
        [Permission.ViewMonitors] = (Role.Staff, "monitors:read", "See monitors and their results."),
        [Permission.ManageMonitors] = (Role.Staff, "monitors:write", "Create, change, pause and delete monitors; check now."),
        [Permission.ProbePrivateAddresses] = (Role.Admin, "monitors:private", "Let monitors reach private network addresses."),
        [Permission.RunProbe] = (Role.Admin, "probes:run", "Look at targets from another place, as portal probe does: it is given the secrets of its monitors."),
        [Permission.ManageComponents] = (Role.Admin, "components:write", "Create and change components and groups; set a status by hand."),
        [Permission.ViewJobs] = (Role.Staff, "jobs:read", "See jobs, their progress and their logs."),
        [Permission.ManageJobs] = (Role.Admin, "jobs:write", "Cancel and repeat jobs; run, pause and resume schedules."),
        [Permission.ViewBackups] = (Role.Admin, "backups:read", "See backup plans, stores, backups and what was proven of them."),
        [Permission.ManageBackups] = (Role.Admin, "backups:write", "Make and change backup plans, targets and stores; back up, verify and delete backups."),
        [Permission.RestoreBackups] = (Role.Admin, "restores:write", "Restore a backup into a database or a folder."),
        [Permission.ViewDrills] = (Role.Admin, "drills:read", "See drills, what they measured, and what they check."),
        [Permission.RunDrills] = (Role.Admin, "drills:write", "Run drills, schedule them, and say whether a canary is written. Adding a question to the data needs restores:write as well: its answer shows what stands there."),
        [Permission.ViewAlerts] = (Role.Staff, "alerts:read", "See alerts, rules, silences, services, policies, and who is on call."),
        [Permission.HandleAlerts] = (Role.Staff, "alerts:write", "Raise, acknowledge, resolve, snooze, reassign and escalate alerts; silence them; stand in for somebody and exchange shifts."),
        [Permission.ManageAlerting] = (Role.Admin, "alerting:write", "Make and change services, rules, escalation policies, schedules and rotations."),
        [Permission.ManageChannels] = (Role.Admin, "channels:write", "Set up the channels that messages go out by, and contact groups."),
        [Permission.RunAlertTests] = (Role.Admin, "alert-tests:write", "Send labelled test alerts through real paths, and schedule them."),
        [Permission.ManagePeople] = (Role.Admin, "people:write", "Add, change and deactivate people, and see their one-time links."),
        [Permission.ManageApiKeys] = (Role.Admin, "api-keys:write", "Create API keys with no more scopes than its own, and revoke any."),
        [Permission.ViewHealth] = (Role.Staff, "health:read", "Read detailed health and metrics from outside this machine."),
    };

    public static IReadOnlyCollection<string> Scopes { get; } = [.. Table.Values.Select(v => v.Scope)];

    public static IReadOnlySet<Permission> Of(Role role) =>
        Table.Where(p => p.Value.Least <= role).Select(p => p.Key).ToHashSet();

    public static IReadOnlySet<Permission> OfScopes(IEnumerable<string> scopes) =>
        Table.Where(p => scopes.Contains(p.Value.Scope)).Select(p => p.Key).ToHashSet();

    /// <summary>What a key with this scope may do, for whoever chooses.</summary>
    public static string WordsFor(string scope) => Table.Values.First(v => v.Scope == scope).Words;

    public static string ScopeOf(Permission permission) => Table[permission].Scope;
}
