namespace Portal.Domain.Monitoring;

/// <summary>The verdict of one check.</summary>
public enum CheckOutcome
{
    Up,
    Down,
    /// <summary>The part that is looked at is not set up: neither good nor bad, shown as unknown with that note.</summary>
    NotConfigured,
}

/// <summary>One look at a target.</summary>
/// <param name="At">When the check began.</param>
/// <param name="Duration">From the beginning to the verdict.</param>
/// <param name="StatusCode">The HTTP status, if an answer came.</param>
/// <param name="Place">From where; null is the portal itself.</param>
/// <param name="Detail">Why it failed, or the note of a part that is not configured, in words; null when all is well.</param>
public sealed record CheckResult(MonitorId Monitor, DateTimeOffset At, TimeSpan Duration, CheckOutcome Outcome, int? StatusCode, string? Detail, ProbePlaceId? Place = null);
