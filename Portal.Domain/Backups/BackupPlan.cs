using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

public readonly record struct BackupPlanId(Guid Value) : IId<BackupPlanId>
{
    public static BackupPlanId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Which target is backed up to which stores, how often, how long it is kept and how far each backup is verified at once.</summary>
public sealed class BackupPlan
{
    public const int MostStores = 5;

    BackupPlan() { }

    public BackupPlan(string name, BackupTargetId target, JobScheduleId schedule, DateTimeOffset now, BackupPlanId? id = null)
    {
        Id = id ?? Shared.Id.New<BackupPlanId>(now);
        (TargetId, ScheduleId, CreatedAt) = (target, schedule, now);
        Name = Text.Required(name, "name", "The name", Text.NameLength);
    }

    public BackupPlanId Id { get; private set; }
    public string Name { get; private set; } = "";
    public BackupTargetId TargetId { get; private set; }
    /// <summary>Of the job that does it.</summary>
    public JobScheduleId ScheduleId { get; private set; }
    /// <summary>Ids of stores.</summary>
    public Guid[] StoreIds { get; private set; } = [];
    /// <summary>1 to 9.</summary>
    public int GzipLevel { get; private set; } = 9;
    /// <summary>How far each backup is verified right after it was made.</summary>
    public VerificationLevel VerifyTo { get; private set; } = VerificationLevel.Archive;
    public Retention Retention { get; private set; } = Retention.Standard;
    /// <summary>What may be lost at most (RPO), in minutes; the plan says whether it can keep to that.</summary>
    public int TargetLossMinutes { get; private set; } = 15;
    /// <summary>Every good backup that ends after this is told by mail; null where only trouble is.</summary>
    public DateTimeOffset? TellsSuccessSince { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public uint Version { get; private set; }

    public bool TellsSuccess => TellsSuccessSince is not null;

    public IEnumerable<BackupStoreId> Stores => StoreIds.Select(s => new BackupStoreId(s));

    /// <exception cref="DomainException">Names the field.</exception>
    public void Change(string name, IReadOnlyCollection<BackupStoreId> stores, int gzipLevel, VerificationLevel verifyTo, Retention retention, int targetLossMinutes)
    {
        Name = Text.Required(name, "name", "The name", Text.NameLength);
        if (stores.Count is 0 or > MostStores) throw new DomainException($"A plan keeps its backups in 1 to {MostStores} stores.", "stores");
        if (gzipLevel is < 1 or > 9) throw new DomainException("The level of gzip is 1 (fast) to 9 (small).", "gzipLevel");
        if (verifyTo > VerificationLevel.Archive) throw new DomainException("Right after a backup it is verified up to the archive; restores are proven by drills.", "verifyTo");
        if (targetLossMinutes is < 1 or > 43_200) throw new DomainException("What may be lost is 1 to 43,200 minutes (30 days).", "targetLossMinutes");
        (StoreIds, GzipLevel, VerifyTo, Retention, TargetLossMinutes) = ([.. stores.Select(s => s.Value).Distinct()], gzipLevel, verifyTo, retention.Checked(), targetLossMinutes);
    }

    /// <summary>Whether each good backup is told by mail. What was good before somebody asked for that is not told afterwards.</summary>
    public void TellSuccess(bool tells, DateTimeOffset now) => TellsSuccessSince = tells ? TellsSuccessSince ?? now : null;

    /// <summary>The configuration names another store.</summary>
    public void Move(BackupStoreId from, BackupStoreId to) => StoreIds = [.. StoreIds.Select(s => s == from.Value ? to.Value : s).Distinct()];

    /// <summary>What would be lost at most if everything died just before the next backup is complete: the longest time between two slots, and the time that a backup takes.</summary>
    /// <param name="slots">At least two, in their order.</param>
    /// <param name="takes">The longest of the last backups; zero where there is none yet.</param>
    public static TimeSpan MostLoss(IEnumerable<DateTimeOffset> slots, TimeSpan takes)
    {
        var (longest, last) = (TimeSpan.Zero, (DateTimeOffset?)null);
        foreach (var slot in slots)
        {
            if (last is { } before && slot - before > longest) longest = slot - before;
            last = slot;
        }
        return longest + takes;
    }
}
