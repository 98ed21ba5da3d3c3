using System.Net;
using System.Text;
using Portal.Domain.StatusPages;

namespace Portal.Public.Feeds;

/// <summary>One incident or maintenance as a feed tells it: the newest update on top, all of them inside.</summary>
/// <param name="Id">Stays the same for ever, whatever address the page has.</param>
/// <param name="Html">A fragment for readers; every text of people is encoded.</param>
/// <param name="Published">When it was declared or announced.</param>
/// <param name="Updated">When anything that customers may read last changed.</param>
sealed record FeedEntry(string Id, string Title, string Link, string Html, string Category, DateTimeOffset Published, DateTimeOffset Updated)
{
    public static FeedEntry Of(IncidentView incident, FeedText text, PublicSettings settings)
    {
        var newest = incident.Updates.Select(u => u.UpdatedAt).DefaultIfEmpty(incident.CreatedAt).Max();
        return new FeedEntry(
            $"urn:uuid:{incident.Id.Value:D}", Clean($"{text["status." + incident.Status]}: {incident.Title}"),
            $"{settings.BaseUrl}{text.Prefix}/incidents/{incident.Id}", Clean(Body(incident, text, settings.Zone)), text["impact." + incident.Impact],
            incident.CreatedAt, newest > incident.UpdatedAt ? newest : incident.UpdatedAt);
    }

    public static FeedEntry Of(MaintenanceView window, FeedText text, RenderContext context)
    {
        var (settings, asOf) = (context.Settings, context.AsOf);
        return new FeedEntry(
            $"urn:uuid:{window.Id.Value:D}", Clean($"{text["maintenance." + window.Times.StatusAt(asOf)]}: {window.Title}"),
            $"{settings.BaseUrl}{text.Prefix}/maintenance/{window.Id}", Clean(Body(window, text, settings.Zone, asOf)), text["impact.Maintenance"], window.CreatedAt, window.ChangedAt(asOf));
    }

    static string Body(MaintenanceView window, FeedText text, TimeZoneInfo zone, DateTimeOffset asOf)
    {
        var html = new StringBuilder().Append("<p>").Append(Encode(text.Of("maintenance.when", text.Time(window.Times.StartsAt, zone), text.Time(window.Times.End, zone)))).Append("</p>");
        foreach (var update in window.Timeline(asOf))
            html.Append("<p><strong>").Append(Encode(text["maintenance." + update.Status])).Append("</strong> – ").Append(Encode(text.Time(update.CreatedAt, zone)))
                .Append("<br>").Append(Encode(update.Body ?? text[$"maintenance.{update.Status}.text"]).Replace("\n", "<br>", StringComparison.Ordinal)).Append("</p>");
        if (window.Components.Where(c => c.IsNamed).Select(c => c.Name).ToList() is { Count: > 0 } names)
            html.Append("<p>").Append(Encode(text.Of("affected", string.Join(", ", names)))).Append("</p>");
        return html.ToString();
    }

    static string Body(IncidentView incident, FeedText text, TimeZoneInfo zone)
    {
        var html = new StringBuilder();
        if (incident.NextUpdateBy is { } next) html.Append("<p>").Append(Encode(text.Of("next", text.Time(next, zone)))).Append("</p>");
        foreach (var update in incident.Updates.Reverse())
        {
            html.Append("<p><strong>").Append(Encode(text["status." + update.Status])).Append("</strong> – ").Append(Encode(text.Time(update.CreatedAt, zone)));
            if (update.EditedAt is { } edited) html.Append(" (").Append(Encode(text.Of("edited", text.Time(edited, zone)))).Append(')');
            html.Append("<br>").Append(Encode(update.Body).Replace("\n", "<br>", StringComparison.Ordinal)).Append("</p>");
        }
        if (incident.Components.Count > 0)
            html.Append("<p>").Append(Encode(text.Of("affected", string.Join(", ", incident.Components.Select(c => $"{c.Name} ({Word(text, c.Status)})"))))).Append("</p>");
        return html.ToString();
    }

    static string Word(FeedText text, ComponentStatus status) => text["component." + status];

    static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>XML has no way to write some characters that people can type, U+FFFE among them.</summary>
    public static string Clean(string text)
    {
        if (text.All(c => c >= ' ' && c < '\ud800')) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            clean.Append(rune.Value is '\t' or '\n' or (>= 0x20 and not (0xfffe or 0xffff)) ? rune.ToString() : "\ufffd");
        return clean.ToString();
    }
}
