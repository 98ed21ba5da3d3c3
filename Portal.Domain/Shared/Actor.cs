namespace Portal.Domain.Shared;

/// <summary>Who does something: a person in the browser, an API key, or the portal itself.</summary>
/// <param name="Kind">What kind of actor it is.</param>
/// <param name="Id">The person's or the key's id; null for the portal itself.</param>
/// <param name="Name">The name to show beside what was done.</param>
/// <param name="Grants">What this actor may do, from the one permission table or the key's scopes.</param>
/// <param name="From">The network address the request came from; null for the portal itself.</param>
public sealed record Actor(ActorKind Kind, Guid? Id, string Name, IReadOnlySet<Permission> Grants, string? From = null)
{
    /// <summary>The portal itself: the monitoring engine, a clean-up, the first start.</summary>
    public static Actor System { get; } = new(ActorKind.System, null, "Portal", Enum.GetValues<Permission>().ToHashSet());

    public bool May(Permission permission) => Grants.Contains(permission);

    /// <exception cref="ForbiddenException">The actor lacks the permission.</exception>
    public void Require(Permission permission)
    {
        if (!May(permission)) throw new ForbiddenException($"{Name} may not do this: the permission \"{permission}\" is missing.");
    }
}

/// <summary>What kind of actor did something: the portal itself, a person, or a program with a key.</summary>
public enum ActorKind { System, Person, ApiKey }

/// <summary>Everything that can be allowed. Which role has which is the table in <c>Access/Permissions.cs</c>; API keys name them as scopes.</summary>
public enum Permission
{
    ViewOps,
    RunIncidents,
    ManageComponents,
    ViewMonitors,
    ManageMonitors,
    ProbePrivateAddresses,
    ManagePeople,
    ManageApiKeys,
    ViewHealth,
    RunMaintenance,
    RunProbe,
    ViewJobs,
    ManageJobs,
    ViewBackups,
    ManageBackups,
    RestoreBackups,
    ViewDrills,
    RunDrills,
    ViewAlerts,
    HandleAlerts,
    ManageAlerting,
    ManageChannels,
    RunAlertTests,
}
