using System.Linq.Expressions;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

/// <summary>Where a backup stands.</summary>
public enum BackupState
{
    /// <summary>A run writes it; without its end it is removed.</summary>
    Writing,
    Kept,
    /// <summary>It was deleted from its store; the row remembers it.</summary>
    Deleted,
}

/// <summary>What was proven of a backup, each level more than the one before.</summary>
public enum VerificationLevel
{
    /// <summary>The store took it all.</summary>
    Stored,
    /// <summary>It was read back; checksums and HMACs are right.</summary>
    Checksum,
    /// <summary>The archive can be read to its very end.</summary>
    Archive,
    /// <summary>It was restored, and tables, rows and constraints are those of the manifest.</summary>
    Restored,
    /// <summary>The administrator's own checks passed on what was restored.</summary>
    Data,
}

/// <summary>A backup in the catalogue. The store is what counts: the catalogue can be made again from it.</summary>
public sealed class Backup
{
    /// <summary>A proof older than this proves little: the badge says so.</summary>
    public static readonly TimeSpan ProofLasts = TimeSpan.FromDays(30);
    public const int ReasonLength = 300;

    Backup() { }

    /// <summary>A run begins to write it.</summary>
    public Backup(BackupId id, BackupPlanId? plan, BackupTarget target, BackupStoreId store, JobRunId run, DateTimeOffset now)
    {
        (Id, PlanId, TargetId, StoreId, RunId, StartedAt) = (id, plan, target.Id, store, run, now);
        Kind = target.IsDatabase ? ContentKind.Database : ContentKind.Directory;
    }

    public BackupId Id { get; private set; }
    public BackupPlanId? PlanId { get; private set; }
    public BackupTargetId TargetId { get; private set; }
    public BackupStoreId StoreId { get; private set; }
    /// <summary>The run that wrote it; null for one that was found in a store.</summary>
    public JobRunId? RunId { get; private set; }
    public BackupState State { get; private set; }
    public ContentKind Kind { get; private set; }
    public DateTimeOffset StartedAt { get; private set; }
    public DateTimeOffset? FinishedAt { get; private set; }
    /// <summary>The moment that it shows: the snapshot's, or the begin of reading a directory.</summary>
    public DateTimeOffset At { get; private set; }
    public long PlainBytes { get; private set; }
    public long StoredBytes { get; private set; }
    public int Tables { get; private set; }
    /// <summary>Rows of all tables, or files of a directory.</summary>
    public long Rows { get; private set; }
    /// <summary>Canonical JSON, as it lies in the store.</summary>
    public string? Manifest { get; private set; }

    public DateTimeOffset? ChecksumAt { get; private set; }
    public DateTimeOffset? ArchiveAt { get; private set; }
    public DateTimeOffset? RestoredAt { get; private set; }
    public DateTimeOffset? DataAt { get; private set; }
    /// <summary>What is wrong with it; it must not be used.</summary>
    public string? Damage { get; private set; }

    /// <summary>The run that asked for it last. Whether it is held is said by the restores that are not over; this one makes a save beside it fail.</summary>
    public JobRunId? HeldBy { get; private set; }
    /// <summary>A person wants to keep it.</summary>
    public bool IsPinned { get; private set; }
    public DateTimeOffset? DeletedAt { get; private set; }
    public string? DeletedBecause { get; private set; }
    /// <summary>Whether it is gone from its store too; until then that is tried again.</summary>
    public bool IsGone { get; private set; }
    public uint Version { get; private set; }

    /// <summary>How far it was ever verified.</summary>
    public VerificationLevel Level => DataAt is not null ? VerificationLevel.Data : RestoredAt is not null ? VerificationLevel.Restored : ArchiveAt is not null ? VerificationLevel.Archive : ChecksumAt is not null ? VerificationLevel.Checksum : VerificationLevel.Stored;

    /// <summary>When that was.</summary>
    public DateTimeOffset? VerifiedAt => DataAt ?? RestoredAt ?? ArchiveAt ?? ChecksumAt;

    public bool IsProofOld(DateTimeOffset now) => (VerifiedAt ?? FinishedAt ?? StartedAt) < now - ProofLasts;

    /// <summary>All of it but the manifest, which may have megabytes: what lists read.</summary>
    public static Expression<Func<Backup, Backup>> Listed { get; } = b => new Backup
    {
        Id = b.Id,
        PlanId = b.PlanId,
        TargetId = b.TargetId,
        StoreId = b.StoreId,
        RunId = b.RunId,
        State = b.State,
        Kind = b.Kind,
        StartedAt = b.StartedAt,
        FinishedAt = b.FinishedAt,
        At = b.At,
        PlainBytes = b.PlainBytes,
        StoredBytes = b.StoredBytes,
        Tables = b.Tables,
        Rows = b.Rows,
        ChecksumAt = b.ChecksumAt,
        ArchiveAt = b.ArchiveAt,
        RestoredAt = b.RestoredAt,
        DataAt = b.DataAt,
        Damage = b.Damage,
        HeldBy = b.HeldBy,
        IsPinned = b.IsPinned,
        DeletedAt = b.DeletedAt,
        DeletedBecause = b.DeletedBecause,
        IsGone = b.IsGone,
        Version = b.Version,
    };

    /// <summary>One that lies in a store without a row here.</summary>
    public static Backup Found(BackupManifest manifest, BackupTarget target, BackupStoreId store)
    {
        var found = new Backup { Id = manifest.Id, TargetId = target.Id, StoreId = store, StartedAt = manifest.StartedAt, Kind = manifest.Kind };
        found.Publish(manifest);
        return found;
    }

    /// <summary>Its manifest is in the store.</summary>
    public void Publish(BackupManifest manifest)
    {
        (State, FinishedAt, At) = (BackupState.Kept, manifest.FinishedAt, manifest.Snapshot?.TakenAt ?? manifest.StartedAt);
        (PlainBytes, StoredBytes) = (manifest.Plain.Bytes, manifest.Stored.Bytes);
        (Tables, Rows) = (manifest.Database?.Tables.Count ?? 0, manifest.Database?.Tables.Sum(t => t.Rows ?? 0) ?? manifest.Directory?.Files ?? 0);
        Manifest = System.Text.Encoding.UTF8.GetString(manifest.CanonicalBytes());
    }

    /// <summary>A level was reached; it includes those before it.</summary>
    public void Verified(VerificationLevel level, DateTimeOffset now)
    {
        if (level >= VerificationLevel.Checksum) ChecksumAt = now;
        if (level >= VerificationLevel.Archive) ArchiveAt = now;
        if (level >= VerificationLevel.Restored) RestoredAt = now;
        if (level >= VerificationLevel.Data) DataAt = now;
        Damage = null;
    }

    public void Damaged(string words) => Damage = words.Length <= 1_000 ? words : words[..1_000];

    public void Pin(bool pinned) => IsPinned = pinned;

    /// <exception cref="DomainException">It cannot be used.</exception>
    public void Hold(JobRunId run)
    {
        if (State != BackupState.Kept) throw new DomainException("This backup was deleted: choose another one.", "backup");
        HeldBy = run;
    }

    /// <summary>First here, so that nobody begins to restore it; then in its store.</summary>
    public void Delete(string because, DateTimeOffset now) => (State, DeletedAt, DeletedBecause) = (BackupState.Deleted, now, because.Length <= ReasonLength ? because : because[..ReasonLength]);
}
