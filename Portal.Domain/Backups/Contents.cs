using System.Text.Json.Serialization;

namespace Portal.Domain.Backups;

/// <summary>What a database held in one snapshot, counted so that a restored copy can be compared with it.</summary>
/// <param name="Encoding">As the server names it: UTF8.</param>
/// <param name="Roles">Owners and grantees, which a destination may lack.</param>
/// <param name="Grants">Statements that give again what <c>--no-acl</c> leaves out: relations, their columns, schemas and routines; and that take from everybody what a fresh database would give.</param>
/// <param name="Owners">What gives things back to their owners, which <c>--no-owner</c> leaves out; null in backups of versions that did not keep it, like <paramref name="Settings"/>.</param>
/// <param name="Settings">What was set for the database by <c>alter database … set</c>.</param>
public sealed record DatabaseContents(
    string Encoding,
    string Collation,
    string CharacterType,
    IReadOnlyList<TableContents> Tables,
    IReadOnlyList<SequenceContents> Sequences,
    LargeObjects LargeObjects,
    IReadOnlyList<ExtensionVersion> Extensions,
    IReadOnlyList<string> Roles,
    IReadOnlyList<RoleGrant> Grants,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<RoleOwnership>? Owners = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<DatabaseSetting>? Settings = null);

/// <summary>One table.</summary>
/// <param name="Rows">Null for the head of a partitioned table, whose rows are those of its partitions.</param>
/// <param name="Constraints">Primary, unique, foreign, check and exclusion constraints.</param>
public sealed record TableContents(string Schema, string Name, long? Rows, int Constraints, int Indexes);

/// <summary>The last value that a sequence gave out. Sequences stand outside of snapshots, so it is read before and after.</summary>
public sealed record SequenceContents(string Schema, string Name, long Before, long After);

/// <summary>Large objects of a database.</summary>
/// <param name="Bytes">Null where the account may not read them all.</param>
public sealed record LargeObjects(long Count, long? Bytes);

/// <summary>An extension as it was installed in the database.</summary>
public sealed record ExtensionVersion(string Name, string Version);

/// <summary>What a role other than the owner may do with one thing.</summary>
/// <param name="Statement">Complete SQL.</param>
public sealed record RoleGrant(string Role, string Statement);

/// <summary>What a role owned.</summary>
/// <param name="Schema">In which it lies; null for a schema itself.</param>
/// <param name="Statement">Complete SQL.</param>
public sealed record RoleOwnership(string Role, string? Schema, string Statement);

/// <summary>What sessions in a database begin with.</summary>
/// <param name="Role">For this role only; null for all.</param>
/// <param name="Value">As the server writes it; null where it may be a secret, for a manifest is not encrypted: settings of programs, which have a dot in their names.</param>
public sealed record DatabaseSetting(string? Role, string Name, string? Value);

/// <summary>What a directory held while it was read.</summary>
/// <param name="Bytes">Of regular files.</param>
public sealed record DirectoryContents(long Files, long Bytes);
