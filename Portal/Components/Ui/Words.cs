using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.StatusPages;

namespace Portal.Components.Ui;

/// <summary>How staff screens write the values of the domain: the name of a style and the words of a person.</summary>
public static class Words
{
    public static string Css(this ComponentStatus status) => status switch
    {
        ComponentStatus.Operational => "operational",
        ComponentStatus.DegradedPerformance => "degraded",
        ComponentStatus.PartialOutage => "partial",
        ComponentStatus.MajorOutage => "major",
        _ => "maintenance",
    };

    public static string Text(this ComponentStatus status) => status switch
    {
        ComponentStatus.Operational => "Operational",
        ComponentStatus.DegradedPerformance => "Degraded performance",
        ComponentStatus.PartialOutage => "Partial outage",
        ComponentStatus.MajorOutage => "Major outage",
        _ => "Under maintenance",
    };

    public static string Css(this Indicator impact) => impact switch
    {
        Indicator.None => "operational",
        Indicator.Minor => "degraded",
        Indicator.Major => "partial",
        Indicator.Critical => "major",
        _ => "maintenance",
    };

    public static string Text(this Indicator impact) => impact switch
    {
        Indicator.None => "No impact",
        Indicator.Minor => "Minor",
        Indicator.Major => "Major",
        Indicator.Critical => "Critical",
        _ => "Maintenance",
    };

    public static string Text(this IncidentStatus status) => status == IncidentStatus.Postmortem ? "Post-mortem" : status.ToString();

    public static string Css(this Severity severity) => severity switch
    {
        Severity.P0 => "major",
        Severity.P1 => "partial",
        Severity.P2 => "degraded",
        _ => "maintenance",
    };

    /// <summary>What a severity means, in one line.</summary>
    public static string Meaning(this Severity severity) => severity switch
    {
        Severity.P0 => "Everything is down, or data is at risk",
        Severity.P1 => "A main function fails for many",
        Severity.P2 => "Something is slow, or fails for a few",
        _ => "Cosmetic, or there is a way around it",
    };

    public static string Text(this MaintenanceStatus status) => status == MaintenanceStatus.InProgress ? "In progress" : status.ToString();
}
