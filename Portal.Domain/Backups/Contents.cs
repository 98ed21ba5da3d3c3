namespace Portal.Domain.Backups;

/// <summary>What a database held in one snapshot, counted so that a restored copy can be compared with it.</summary>
/// <param name="Encoding">As the server names it: UTF8.</param>
/// <param name="Roles">Owners and grantees, which a destination may lack.</param>
/// <param name="Grants">Statements that give again what <c>--no-acl</c> leaves out: relations, schemas and routines.</param>
public sealed record DatabaseContents(
    string Encoding,
    string Collation,
    string CharacterType,
    IReadOnlyList<TableContents> Tables,
    IReadOnlyList<SequenceContents> Sequences,
    LargeObjects LargeObjects,
    IReadOnlyList<ExtensionVersion> Extensions,
    IReadOnlyList<string> Roles,
    IReadOnlyList<RoleGrant> Grants);

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

/// <summary>What a directory held while it was read.</summary>
/// <param name="Bytes">Of regular files.</param>
public sealed record DirectoryContents(long Files, long Bytes);
