using System.Globalization;
using Portal.Domain.Monitoring;

namespace Portal.Features.Monitoring;

/// <summary>How staff screens write what monitoring found.</summary>
static class MonitorWords
{
    public static string Css(this MonitorCondition condition) => condition switch
    {
        MonitorCondition.Up => "operational",
        MonitorCondition.Down => "major",
        MonitorCondition.Paused => "maintenance",
        _ => "unknown",
    };

    public static string Text(this MonitorCondition condition) => condition.ToString();

    public static string Css(this CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Up => "operational",
        CheckOutcome.Down => "major",
        _ => "unknown",
    };

    public static string Text(this CheckOutcome outcome) => outcome == CheckOutcome.NotConfigured ? "Not configured" : outcome.ToString();

    /// <summary>"10 s", "2 min", "1 h 30 min", "1 d": at most two units.</summary>
    public static string Span(TimeSpan length)
    {
        var parts = new (long Count, string Unit)[] { (length.Days, "d"), (length.Hours, "h"), (length.Minutes, "min"), (length.Seconds, "s") }.Where(p => p.Count > 0).Take(2).ToList();
        return parts.Count == 0 ? "0 s" : string.Join(' ', parts.Select(p => $"{p.Count} {p.Unit}"));
    }

    public static string Milliseconds(double? ms) => ms is { } value ? value.ToString(value < 10 ? "0.0" : "#,0", CultureInfo.InvariantCulture) : "";
}
