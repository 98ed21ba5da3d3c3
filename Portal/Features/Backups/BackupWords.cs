using System.Globalization;
using Portal.Domain.Backups;

namespace Portal.Features.Backups;

/// <summary>What people read about backups.</summary>
public static class BackupWords
{
    public static string Of(VerificationLevel level) => level switch
    {
        VerificationLevel.Stored => "Stored, not verified",
        VerificationLevel.Checksum => "Checksums right",
        VerificationLevel.Archive => "Readable to its end",
        VerificationLevel.Restored => "Restored and equal",
        _ => "Restored, data checked",
    };

    public static string Of(BackupTargetKind kind) => kind switch
    {
        BackupTargetKind.Portal => "The portal itself",
        BackupTargetKind.Database => "PostgreSQL database",
        _ => "Directory",
    };

    /// <summary>24 hourly, 7 daily, 4 weekly, 12 monthly, never fewer than 3.</summary>
    public static string Of(Retention retention)
    {
        var tiers = new[] { (retention.Hourly, "hourly"), (retention.Daily, "daily"), (retention.Weekly, "weekly"), (retention.Monthly, "monthly") }.Where(t => t.Item1 > 0).Select(t => $"{t.Item1:N0} {t.Item2}").ToList();
        if (retention.Days > 0) tiers.Add($"all of {retention.Days:N0} days");
        return $"{(tiers.Count > 0 ? string.Join(", ", tiers) : "only the newest")}; never fewer than {retention.AtLeast:N0}";
    }

    /// <summary>In the zone of its schedule: Mon 14:17.</summary>
    public static string Slot(DateTimeOffset slot, string zone) => TimeZoneInfo.ConvertTime(slot, TimeZoneInfo.FindSystemTimeZoneById(zone)).ToString("ddd d MMM HH:mm", CultureInfo.InvariantCulture);

    public static string Of(PlanList.Successes runs) => runs.Share is not { } share ? "no run yet"
        : string.Create(CultureInfo.InvariantCulture, $"{(runs.Good == runs.All ? "100" : Math.Min(99.9, Math.Floor(share * 1_000) / 10).ToString("0.0", CultureInfo.InvariantCulture))} % ({runs.Good:N0} of {runs.All:N0})");
}
