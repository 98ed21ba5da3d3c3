using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Postgres;

/// <summary>Where the cluster lies: in the data folder, unless PostgreSQL's user cannot get there.</summary>
/// <param name="Folder">Absolute, and not a link.</param>
/// <param name="Link">The link from the data folder that is still to be made; null where none is needed.</param>
public sealed record ClusterPlace(string Folder, string? Link)
{
    /// <summary>Of the cluster, or of the link to it, in the data folder.</summary>
    public const string Name = "postgres";

    /// <summary>Root of the places outside of data folders.</summary>
    public const string Elsewhere = "/var/lib/portal";

    public bool Exists => File.Exists(Path.Combine(Folder, "PG_VERSION"));

    /// <summary>Whether the data folder holds a cluster, or a link to one.</summary>
    public static bool IsIn(DataFolder data) => new DirectoryInfo(Path.Combine(data.Root, Name)) is var own && (own.Exists || own.LinkTarget is not null);

    /// <exception cref="CannotStartException">An existing cluster cannot be reached.</exception>
    public static async Task<ClusterPlace> Choose(DataFolder data, ServerAccount account, ILogger log, TimeProvider clock, CancellationToken ct, string elsewhere = Elsewhere)
    {
        var own = Path.Combine(data.Root, Name);
        if (new DirectoryInfo(own).LinkTarget is { } target)
            return Directory.Exists(target) ? new ClusterPlace(target, null)
                : throw new CannotStartException($"{own} leads to {target}, which is gone: restore it from a backup, or remove the link to begin with an empty database.");
        var reachable = await account.CanEnter(data.Root, ct);
        if (reachable) return new ClusterPlace(own, null);
        if (Directory.Exists(own))
            throw new CannotStartException($"The user {account.Name} cannot reach the database in {own}: a folder above it is closed. Open it (chmod o+x) or move the data folder elsewhere.");
        var place = Path.Combine(elsewhere, data.Hash);
        if (Directory.Exists(place)) SetAside(place, log, clock);
        Directory.CreateDirectory(elsewhere);
        File.SetUnixFileMode(elsewhere, PrivateFile.FolderMode | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        log.LogWarning("The user {Account} cannot reach {Data}: the database is kept in {Place}, linked from the data folder", account.Name, data.Root, place);
        return new ClusterPlace(place, own);
    }

    /// <summary>A data folder of the same name stood here before and was removed: what it left is kept, not used.</summary>
    static void SetAside(string place, ILogger log, TimeProvider clock)
    {
        var kept = $"{place}.left-{clock.GetUtcNow():yyyyMMddHHmmss}";
        Directory.Move(place, kept);
        log.LogWarning("A database that belongs to no data folder any more was found and set aside as {Kept}", kept);
    }

    public void MakeLink()
    {
        if (Link is not null) Directory.CreateSymbolicLink(Link, Folder);
    }
}
