using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>Local times that recur, as instants: the one place where on-call meets the change of the clocks.</summary>
/// <remarks>
/// A local time that the clocks skip moves forward by what they skip (02:30 comes at 03:30); one that they show twice is meant the first time. Source: RFC 5545, 3.3.5,
/// so that a calendar which reads our shifts agrees. (A crontab differs on what is skipped: its time comes as the clocks are set.)
/// </remarks>
public static class ZoneClock
{
    /// <summary>The longest range that is computed at once.</summary>
    public static readonly TimeSpan LongestRange = TimeSpan.FromDays(400);
    /// <summary>More than any zone has ever set its clocks: Samoa left out a day in 2011.</summary>
    internal static readonly TimeSpan LongestJump = TimeSpan.FromHours(25);
    /// <summary>On-call knows the years 2000 to 2199.</summary>
    public static readonly Interval Known = new(new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero), new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <exception cref="DomainException">Not an IANA zone.</exception>
    public static TimeZoneInfo Zone(string? id) => id is { Length: > 0 } && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone
        : throw new DomainException($"\"{id}\" is not a time zone like Europe/Berlin.", "zone");

    /// <summary>What a clock in the zone shows.</summary>
    public static DateTime Wall(DateTimeOffset at, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(at, zone).DateTime;

    public static DateTimeOffset At(DateTime local, TimeZoneInfo zone) => At(local, zone, out _);

    /// <param name="skipped">The clocks never show it.</param>
    public static DateTimeOffset At(DateTime local, TimeZoneInfo zone, out bool skipped)
    {
        // No zone sets its clocks twice within two days, so one of the offsets around it is its own. TimeZoneInfo.IsInvalidTime knows nothing of a zone that moves for good.
        var asUtc = new DateTimeOffset(DateTime.SpecifyKind(local, DateTimeKind.Utc));
        var (before, after) = (zone.GetUtcOffset(asUtc - LongestJump), zone.GetUtcOffset(asUtc + LongestJump));
        var (early, late) = (asUtc - before, asUtc - after);
        skipped = false;
        if (before == after || zone.GetUtcOffset(early) == before) return early;
        if (zone.GetUtcOffset(late) == after) return late;
        skipped = true;
        return early;
    }

    /// <exception cref="DomainException">Outside of <see cref="Known"/>.</exception>
    public static DateTimeOffset Checked(DateTimeOffset at, string field = "at") =>
        at >= Known.From && at < Known.To ? at.ToUniversalTime() : throw new DomainException("Choose a time in the years 2000 to 2199.", field);

    /// <exception cref="DomainException">It runs backwards, is longer than <see cref="LongestRange"/>, or ends outside of <see cref="Known"/>.</exception>
    public static Interval Range(DateTimeOffset from, DateTimeOffset to)
    {
        var range = new Interval(Checked(from, "from"), Checked(to, "to"));
        if (range.To < range.From) throw new DomainException("The range ends before it begins.", "to");
        return range.Length <= LongestRange ? range : throw new DomainException($"A range takes at most {LongestRange.TotalDays:0} days.", "to");
    }

    /// <summary>Whole minutes are what people write and what is computed with.</summary>
    internal static bool IsWhole(TimeOnly time) => time.Ticks % TimeSpan.TicksPerMinute == 0;

    internal static bool Covers(this Interval span, DateTimeOffset at) => span.From <= at && at < span.To;
}
