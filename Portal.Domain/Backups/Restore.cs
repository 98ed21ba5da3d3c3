using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

/// <summary>A backup that was brought back, or is being: where to, and what was found when it was compared.</summary>
/// <remarks>Its id is that of the run which does it. Everything is restored under a name of its own first, and gets the name that was asked for when it is whole.</remarks>
public sealed class Restore
{
    public const int IntoLength = 500;

    Restore() { }

    /// <param name="into">Name of a database on the target's server (1 to 63 bytes), or an absolute path for a directory.</param>
    /// <param name="replaces">Whether a database of that name may be put aside.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public Restore(JobRunId id, Backup backup, string into, bool replaces, Actor by, DateTimeOffset now)
    {
        (Id, BackupId, TargetId, Replaces, RequestedBy, QueuedAt) = (id, backup.Id, backup.TargetId, replaces, by.Name, now);
        Into = backup.Kind == ContentKind.Directory ? StorePlace.AbsolutePath(into, "into") : DatabaseName(into);
        if (replaces && backup.Kind == ContentKind.Directory) throw new DomainException("A directory is restored into a fresh one; move it into place yourself.", "replace");
    }

    public JobRunId Id { get; private set; }
    public BackupId BackupId { get; private set; }
    public BackupTargetId TargetId { get; private set; }
    public string Into { get; private set; } = "";
    public bool Replaces { get; private set; }
    public string RequestedBy { get; private set; } = "";
    public DateTimeOffset QueuedAt { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    /// <summary>Under which name what was there before is kept.</summary>
    public string? KeptAs { get; private set; }
    public int Compared { get; private set; }
    public int Differences { get; private set; }
    /// <summary>JSON: every line of the comparison, and what could not be given again.</summary>
    public string? Report { get; private set; }
    /// <summary>Nothing unfinished of it is left on the server.</summary>
    public bool IsSettled { get; private set; }
    public uint Version { get; private set; }

    /// <summary>The name that it has until it is whole.</summary>
    public static string UnfinishedName(JobRunId run) => $"portal_restoring_{run}";

    public void End(int compared, int differences, string report, string? keptAs, DateTimeOffset now) =>
        (Compared, Differences, Report, KeptAs, EndedAt, IsSettled) = (compared, differences, report, keptAs, now, true);

    /// <summary>It was killed before anything got another name.</summary>
    public void NothingPutAside() => KeptAs = null;

    public void Settle(DateTimeOffset now) => (EndedAt, IsSettled) = (EndedAt ?? now, true);

    static string DatabaseName(string into)
    {
        var text = Text.Required(into, "into", "The name of the database", IntoLength);
        if (System.Text.Encoding.UTF8.GetByteCount(text) > 63 || text.Any(char.IsControl)) throw new DomainException("The name of a database has at most 63 bytes and no control characters.", "into");
        return text is "postgres" or "template0" or "template1" ? throw new DomainException($"\"{text}\" belongs to the server: choose another name.", "into") : text;
    }
}
