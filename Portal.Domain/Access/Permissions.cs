using Portal.Domain.Shared;

namespace Portal.Domain.Access;

/// <summary>What a person is here for. Ordered: each role may do what the ones before it may.</summary>
public enum Role { Staff, Admin }

/// <summary>The one table of who may do what: pages, endpoints and use cases all read it.</summary>
public static class Permissions
{
    static readonly IReadOnlyDictionary<Permission, (Role Least, string Scope)> Table = new Dictionary<Permission, (Role, string)>
    {
        [Permission.ViewOps] = (Role.Staff, "ops:read"),
        [Permission.RunIncidents] = (Role.Staff, "incidents:write"),
        [Permission.ViewMonitors] = (Role.Staff, "monitors:read"),
        [Permission.ManageMonitors] = (Role.Staff, "monitors:write"),
        [Permission.ProbePrivateAddresses] = (Role.Admin, "monitors:private"),
        [Permission.ManageComponents] = (Role.Admin, "components:write"),
        [Permission.ManagePeople] = (Role.Admin, "people:write"),
        [Permission.ManageApiKeys] = (Role.Admin, "api-keys:write"),
        [Permission.ViewHealth] = (Role.Staff, "health:read"),
    };

    public static IReadOnlyCollection<string> Scopes { get; } = [.. Table.Values.Select(v => v.Scope)];

    public static IReadOnlySet<Permission> Of(Role role) =>
        Table.Where(p => p.Value.Least <= role).Select(p => p.Key).ToHashSet();

    public static IReadOnlySet<Permission> OfScopes(IEnumerable<string> scopes) =>
        Table.Where(p => scopes.Contains(p.Value.Scope)).Select(p => p.Key).ToHashSet();

    public static string ScopeOf(Permission permission) => Table[permission].Scope;
}
