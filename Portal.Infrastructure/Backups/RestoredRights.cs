using Npgsql;
using Portal.Domain.Backups;
using static Portal.Domain.Backups.ContentsComparison;

namespace Portal.Infrastructure.Backups;

/// <summary>What pg_restore leaves out: rights, owners, and settings of the database. Each is given again where the role is there and our account may; what is left out is said.</summary>
static class RestoredRights
{
    /// <summary>Written as lists of names, which only the server can read again.</summary>
    static readonly string[] Lists = ["search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries", "shared_preload_libraries"];

    public static async Task<IReadOnlyList<string>> Missing(NpgsqlConnection connection, DatabaseContents expected, CancellationToken ct)
    {
        var there = (await DatabaseRestore.Names(connection, "select rolname from pg_roles", ct)).ToHashSet();
        return [.. expected.Roles.Where(r => !there.Contains(r))];
    }

    public static async Task<IReadOnlyList<string>> Grant(NpgsqlConnection connection, DatabaseContents expected, IReadOnlyList<string> missing, CancellationToken ct)
    {
        var leftOut = new List<string>();
        foreach (var grant in expected.Grants)
            if (missing.Contains(grant.Role)) leftOut.Add($"{grant.Statement}: the role is missing");
            else if (await Refused(connection, grant.Statement, ct) is { } reason) leftOut.Add($"{grant.Statement}: {reason.MessageText}");
        return leftOut;
    }

    /// <summary>After all else: our account may then not read any more what belongs to others.</summary>
    public static async Task<IReadOnlyList<string>> GiveBack(NpgsqlConnection connection, DatabaseContents expected, IReadOnlyList<string> missing, CancellationToken ct)
    {
        if (expected.Owners is null) return [$"owners: this backup is of a version that did not keep them, so everything belongs to {connection.UserName}"];
        var refused = new List<(RoleOwnership Owned, string Reason)>();
        foreach (var owned in expected.Owners.Where(o => !missing.Contains(o.Role)))
            if (await Refused(connection, owned, ct) is { } reason) refused.Add((owned, reason.MessageText));
        var leftOut = refused.GroupBy(r => (r.Owned.Role, r.Reason)).Select(g => $"{g.First().Owned.Statement}{(g.Count() == 1 ? "" : $" and {g.Count() - 1} more of this owner")}: {g.Key.Reason}").ToList();
        foreach (var setting in expected.Settings ?? [])
            if (await Refused(connection, setting, missing, ct) is { } reason) leftOut.Add($"setting {setting.Name}{(setting.Value is { } value ? $" = {value}" : "")}{(setting.Role is { } role ? $" of {role}" : "")}: {reason}");
        return leftOut;
    }

    /// <summary>Whoever gets a thing must be allowed to create in its place; where it is not any more, it is for this moment.</summary>
    static async Task<PostgresException?> Refused(NpgsqlConnection connection, RoleOwnership owned, CancellationToken ct)
    {
        var first = await Refused(connection, owned.Statement, ct);
        if (first is not { SqlState: PostgresErrorCodes.InsufficientPrivilege }) return first;
        var (place, role) = (owned.Schema is { } schema ? $"schema {Quoted(schema)}" : $"database {Quoted(connection.Database)}", Quoted(owned.Role));
        return await Refused(connection, $"grant create on {place} to {role}; {owned.Statement}; revoke create on {place} from {role}", ct) is null ? null : first;
    }

    static async Task<string?> Refused(NpgsqlConnection connection, DatabaseSetting setting, IReadOnlyList<string> missing, CancellationToken ct)
    {
        if (setting.Value is not { } value) return "its value may be a secret, which no manifest holds; set it again";
        if (setting.Role is { } absent && missing.Contains(absent)) return "the role is missing";
        var whose = setting.Role is { } role ? $"role {Quoted(role)} in database" : "database";
        var set = $"alter {whose} {Quoted(connection.Database)} set {Quoted(setting.Name)}";
        return (await Refused(connection, Lists.Contains(setting.Name) ? $"select set_config({Literal(setting.Name)}, {Literal(value)}, true); {set} from current" : $"{set} to {Literal(value)}", ct))?.MessageText;
    }

    /// <summary>Several statements are carried out together or not at all.</summary>
    static async Task<PostgresException?> Refused(NpgsqlConnection connection, string statements, CancellationToken ct)
    {
        try
        {
            await DatabaseRestore.Execute(connection, statements, ct);
            return null;
        }
        catch (PostgresException e)
        {
            return e;
        }
    }

    static string Literal(string value) => DatabaseRestore.Literal(value);
}
