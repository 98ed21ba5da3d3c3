using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

public readonly record struct BackupTargetId(Guid Value) : IId<BackupTargetId>
{
    public static BackupTargetId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>What is backed up.</summary>
public enum BackupTargetKind
{
    /// <summary>The portal's own database.</summary>
    Portal,
    /// <summary>A PostgreSQL database by its connection string.</summary>
    Database,
    /// <summary>A directory of the machine that the portal runs on.</summary>
    Directory,
}

/// <summary>Something that is worth a backup: a PostgreSQL database, or a directory.</summary>
public sealed class BackupTarget
{
    /// <summary>The name of the portal's own database; scripts rely on it.</summary>
    public const string Own = "portal";

    BackupTarget() { }

    BackupTarget(string name, BackupTargetKind kind, string place, DateTimeOffset now, BackupTargetId? id)
    {
        Id = id ?? Shared.Id.New<BackupTargetId>(now);
        (Name, Kind, Place, CreatedAt) = (name, kind, place, now);
    }

    public BackupTargetId Id { get; private set; }
    /// <summary>Lower-case letters, digits and hyphens; unique.</summary>
    public string Name { get; private set; } = "";
    public BackupTargetKind Kind { get; private set; }
    /// <summary>Where it is, without secrets: db.example.com:5432/shop, or a path.</summary>
    public string Place { get; private set; } = "";
    /// <summary>Sealed; null for a directory and for the portal's own.</summary>
    public byte[]? Connection { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    /// <summary>Nobody backs it up any more; its backups stay until they are deleted.</summary>
    public DateTimeOffset? RemovedAt { get; private set; }
    /// <summary>Whether a canary is written into it, so that drills can measure what is lost: its owner has consented.</summary>
    public bool HasCanary { get; private set; }
    public uint Version { get; private set; }

    public bool IsDatabase => Kind != BackupTargetKind.Directory;

    public static BackupTarget OfPortal(DateTimeOffset now, BackupTargetId id) => new(Own, BackupTargetKind.Portal, "the portal's own database", now, id) { HasCanary = true };

    /// <param name="place">Host, port and database, without user and password.</param>
    public static BackupTarget OfDatabase(string name, string place, DateTimeOffset now) => new(Named(name), BackupTargetKind.Database, place, now, null);

    public static BackupTarget OfDirectory(string name, string path, DateTimeOffset now) => new(Named(name), BackupTargetKind.Directory, StorePlace.AbsolutePath(path, "path"), now, null);

    /// <summary>Whose backups were found in a store: nothing leads to it, and nobody backs it up.</summary>
    public static BackupTarget Found(BackupManifest manifest, DateTimeOffset now) =>
        new(manifest.Target.Length <= 60 ? manifest.Target : manifest.Target[..60], manifest.Kind == ContentKind.Directory ? BackupTargetKind.Directory : BackupTargetKind.Database, "found in a store", now, null) { RemovedAt = now };

    /// <summary>What was removed or found in a store is backed up again, with the backups that it had.</summary>
    public void Revive(BackupTarget again) => (Place, Connection, RemovedAt) = (again.Place, again.Connection, null);

    /// <summary>Another way to the same database.</summary>
    public void Reach(string place, byte[] connection) => (Place, Connection) = (place, connection);

    /// <exception cref="DomainException">There is no database to write it into.</exception>
    public void LetCanary(bool lives)
    {
        if (!IsDatabase) throw new DomainException("A canary is a row in a database, and this is a directory.", "canary");
        HasCanary = lives;
    }

    /// <exception cref="DomainException">It is the portal's own.</exception>
    public void Remove(DateTimeOffset now)
    {
        if (Kind == BackupTargetKind.Portal) throw new DomainException("The portal's own database stays: without its backups nothing of the portal could be restored. Its plan can be paused.");
        (RemovedAt, HasCanary) = (RemovedAt ?? now, false);
    }

    static string Named(string name)
    {
        var text = Text.Required(name, "name", "The name", 60);
        if (!Text.IsSlug(text)) throw new DomainException("A name has lower-case letters, digits and hyphens, like shop-orders.", "name");
        return text != Own ? text : throw new DomainException($"\"{Own}\" is the portal's own database: choose another name.", "name");
    }
}
