using Portal.Domain.Alerting;
using Portal.Domain.Notifications;

namespace Portal.Features.Alerting;

/// <summary>How screens write alerts: the name of a style and the words of a person.</summary>
static class AlertLook
{
    public static string Css(this AlertState state) => state switch
    {
        AlertState.Triggered => "major",
        AlertState.Acknowledged => "degraded",
        _ => "operational",
    };

    /// <summary>What becomes of it now.</summary>
    public static string Text(AlertState state, DateTimeOffset? snoozedUntil, DateTimeOffset now) =>
        state == AlertState.Acknowledged && snoozedUntil > now ? "Snoozed" : state.ToString();

    /// <summary>Why it pages nobody; null where it pages.</summary>
    public static string? Text(this AlertQuiet quiet) => quiet switch
    {
        AlertQuiet.No => null,
        AlertQuiet.Silenced => "Silenced",
        AlertQuiet.Maintenance => "Under maintenance",
        AlertQuiet.Grouped => "Part of a group",
        _ => "Pages nobody: its service has no policy for this severity",
    };

    public static string Icon(this AlertEventKind kind) => kind switch
    {
        AlertEventKind.Triggered or AlertEventKind.Again or AlertEventKind.Worse => "incidents",
        AlertEventKind.Paged or AlertEventKind.Delivered or AlertEventKind.Escalated or AlertEventKind.Reassigned => "speak",
        AlertEventKind.PagedNobody or AlertEventKind.NotDelivered or AlertEventKind.Exhausted => "major",
        AlertEventKind.Acknowledged => "person",
        AlertEventKind.Resolved => "operational",
        AlertEventKind.Snoozed or AlertEventKind.Released => "clock",
        AlertEventKind.Hushed or AlertEventKind.Spoke => "maintenance",
        _ => "note",
    };

    public static string Text(this AlertEventKind kind) => kind switch
    {
        AlertEventKind.Again => "Heard again",
        AlertEventKind.PagedNobody => "Paged nobody",
        AlertEventKind.NotDelivered => "Not delivered",
        AlertEventKind.Released => "Nobody has it any more",
        AlertEventKind.Hushed => "Pages nobody",
        AlertEventKind.Spoke => "Pages from now on",
        AlertEventKind.Exhausted => "Nobody answered",
        AlertEventKind.Noted => "Note",
        AlertEventKind.Linked => "Linked to an incident",
        _ => kind.ToString(),
    };

    public static string Css(this DeliveryState state) => state switch
    {
        DeliveryState.Waiting => "maintenance",
        DeliveryState.Sent or DeliveryState.Delivered => "operational",
        DeliveryState.Failed => "major",
        _ => "unknown",
    };
}
