using System.Globalization;
using Portal.Domain.Shared;

namespace Portal.Domain.Backups;

/// <summary>A backup as the retention sees it.</summary>
/// <param name="At">The moment that it shows.</param>
/// <param name="Level">How far it was ever verified.</param>
/// <param name="IsHeld">A restore, a drill or a person needs it.</param>
public sealed record RetainedBackup(BackupId Id, DateTimeOffset At, VerificationLevel Level, bool IsHeld = false, bool IsDamaged = false);

/// <summary>What becomes of a backup.</summary>
/// <param name="KeptAs">Why it stays, in a few words; null where it is deleted.</param>
public sealed record RetentionVerdict(RetainedBackup Backup, string? KeptAs)
{
    public bool IsKept => KeptAs is not null;
}

/// <summary>
/// Which backups of a plan stay in a store: the union of what each tier keeps. All of it counts from the newest backup and from buckets that hold one, never from
/// today: when backups stop, nothing grows old.
/// </summary>
/// <param name="AtLeast">So many of the newest stay in any case; 1 to 1,000.</param>
/// <param name="Hourly">Of so many hours that have a backup the newest one; 0 to 10,000, like the other tiers.</param>
/// <param name="Days">Everything of so many days before the newest backup; 0 to 3,650.</param>
public sealed record Retention(int AtLeast, int Hourly, int Daily, int Weekly, int Monthly, int Days)
{
    const int MostBuckets = 10_000;

    public static Retention Standard { get; } = new(3, 24, 7, 4, 12, 0);

    /// <exception cref="DomainException">Names the field.</exception>
    public Retention Checked()
    {
        if (AtLeast is < 1 or > 1_000) throw new DomainException("At least 1 backup stays in any case, and 1,000 at most by this rule.", "atLeast");
        foreach (var (count, field) in new[] { (Hourly, "hourly"), (Daily, "daily"), (Weekly, "weekly"), (Monthly, "monthly") })
            if (count is < 0 or > MostBuckets) throw new DomainException($"A tier keeps 0 to {MostBuckets:N0} backups.", field);
        return Days is >= 0 and <= 3_650 ? this : throw new DomainException("Days are 0 to 3,650.", "days");
    }

    /// <param name="zone">In which an hour, a day, a week (from Monday) and a month begin.</param>
    /// <returns>In the order of time, the newest first.</returns>
    public IReadOnlyList<RetentionVerdict> Judge(IEnumerable<RetainedBackup> backups, TimeZoneInfo zone)
    {
        var all = backups.OrderByDescending(b => b.At).ThenByDescending(b => b.Id.Value).ToList();
        var good = all.Where(b => !b.IsDamaged).ToList();
        var kept = new Dictionary<BackupId, string>();
        foreach (var backup in good.Take(AtLeast)) kept.TryAdd(backup.Id, backup == good[0] ? "newest" : $"one of the newest {AtLeast}");
        foreach (var level in Enum.GetValues<VerificationLevel>().Where(l => l > VerificationLevel.Stored).Reverse())
            if (good.Find(b => b.Level >= level) is { } proven) kept.TryAdd(proven.Id, "newest that is verified so far");
        if (Days > 0 && good.Count > 0)
            foreach (var backup in good.Where(b => b.At > good[0].At.AddDays(-Days))) kept.TryAdd(backup.Id, $"of the last {Days} days");
        Tier(good, Hourly, "hourly", b => Local(b, zone).ToString("yyyyMMddHHzzz", CultureInfo.InvariantCulture), kept);
        Tier(good, Daily, "daily", b => Day(b, zone).ToString("yyyyMMdd", CultureInfo.InvariantCulture), kept);
        Tier(good, Weekly, "weekly", b => $"{ISOWeek.GetYear(Local(b, zone).DateTime)}-{ISOWeek.GetWeekOfYear(Local(b, zone).DateTime)}", kept);
        Tier(good, Monthly, "monthly", b => Day(b, zone).ToString("yyyyMM", CultureInfo.InvariantCulture), kept);
        return [.. all.Select(b => new RetentionVerdict(b, b.IsHeld ? "held" : b.IsDamaged ? "damaged: look at it, then delete it by hand" : kept.GetValueOrDefault(b.Id)))];
    }

    /// <summary>On which day each of these backups goes, if every slot to come brings a good one.</summary>
    /// <param name="slots">To come, in their order.</param>
    /// <returns>Days of the zone, in their order; a backup that outlives the slots is in none.</returns>
    public IReadOnlyList<(DateOnly Day, IReadOnlyList<RetainedBackup> Goes)> Forecast(IEnumerable<RetainedBackup> backups, IEnumerable<DateTimeOffset> slots, TimeZoneInfo zone)
    {
        var there = backups.ToList();
        var known = there.Select(b => b.Id).ToHashSet();
        var level = there.MaxBy(b => b.At)?.Level ?? VerificationLevel.Stored;
        var days = new List<(DateOnly, IReadOnlyList<RetainedBackup>)>();
        foreach (var day in slots.GroupBy(s => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(s, zone).DateTime)))
        {
            there.AddRange(day.Select(slot => new RetainedBackup(Shared.Id.New<BackupId>(slot), slot, level)));
            var goes = Judge(there, zone).Where(v => !v.IsKept).Select(v => v.Backup).ToList();
            there.RemoveAll(goes.Contains);
            var real = goes.Where(b => known.Contains(b.Id)).ToList();
            if (real.Count > 0) days.Add((day.Key, real));
        }
        return days;
    }

    static void Tier(List<RetainedBackup> newestFirst, int most, string name, Func<RetainedBackup, string> bucket, Dictionary<BackupId, string> kept)
    {
        var seen = new HashSet<string>();
        foreach (var backup in newestFirst)
        {
            if (seen.Count == most && !seen.Contains(bucket(backup))) break;
            if (seen.Add(bucket(backup))) kept.TryAdd(backup.Id, name);
        }
    }

    static DateTimeOffset Local(RetainedBackup backup, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(backup.At, zone);

    static DateOnly Day(RetainedBackup backup, TimeZoneInfo zone) => DateOnly.FromDateTime(Local(backup, zone).DateTime);
}
