using System.Globalization;
using Portal.Components.Ui;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Public;

namespace Portal.Features.OnCall;

/// <summary>What a page says: short enough for a telephone in its title, everything that helps to decide in its body.</summary>
public static class PageWords
{
    public static string Title(Alert alert, string service) => $"{(alert.IsTest ? "TEST " : "")}{alert.Severity} {service}: {alert.Summary}";

    /// <param name="zone">In which times are written.</param>
    public static string Body(Alert alert, string service, FiredStep step, EscalationPolicyVersion version, string policy, TimeZoneInfo zone)
    {
        var lines = new List<string>();
        if (alert.IsTest) lines.Add("TEST: somebody tests this path. Nothing is wrong, but answer as if it were.");
        lines.Add(alert.Summary);
        lines.Add($"Service: {service}");
        lines.Add($"Severity: {alert.Severity}, {alert.Severity.Meaning().ToLowerInvariant()}");
        if (alert.Source.Length > 0) lines.Add($"About: {alert.Source}");
        var since = TimeZoneInfo.ConvertTime(alert.BeganAt, zone);
        lines.Add($"Since: {since.ToString("d MMM yyyy, HH:mm", CultureInfo.InvariantCulture)} {ZoneName.At(zone, alert.BeganAt)}");
        if (alert.Count > 1) lines.Add(string.Create(CultureInfo.InvariantCulture, $"Heard {alert.Count:N0} times"));
        if (alert.GroupCount > 0) lines.Add(string.Create(CultureInfo.InvariantCulture, $"{alert.GroupCount:N0} more {(alert.GroupCount == 1 ? "alert" : "alerts")} of the same service joined it"));
        if (alert.Link is { } link) lines.Add($"More: {link}");
        lines.Add($"You are told by {policy}, {Of(step, version)}.{(step.Index + 1 < version.Steps.Count || step.Round < version.Repeat ? $" Unless somebody acknowledges within {SpanWords.Of(TimeSpan.FromMinutes(step.Step.DelayMinutes))}, the next ones are told." : " Nobody else is told after this.")}");
        return string.Join('\n', lines);
    }

    /// <summary>"step 2 of 3", and which time through where it is not the first.</summary>
    public static string Of(FiredStep step, EscalationPolicyVersion version) =>
        string.Create(CultureInfo.InvariantCulture, $"step {step.Index + 1} of {version.Steps.Count}{(step.Round > 0 ? $", time {step.Round + 1} through" : "")}");
}
