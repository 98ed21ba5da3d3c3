using System.Net;
using System.Text;
using Portal.Domain.StatusPages;

namespace Portal.Public.Feeds;

/// <summary>One incident as a feed tells it: the newest update on top, all of them inside.</summary>
/// <param name="Id">Stays the same for ever, whatever address the page has.</param>
/// <param name="Html">A fragment for readers; every text of people is encoded.</param>
/// <param name="Published">When the incident was declared.</param>
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
