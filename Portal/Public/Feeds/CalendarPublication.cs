using System.Globalization;
using System.Text;
using Portal.Domain.Maintenance;

namespace Portal.Public.Feeds;

/// <summary>Announced maintenance for calendars: <c>/maintenance.ics</c>, RFC 5545. A window keeps its UID; a change raises its SEQUENCE; one that was cancelled says so.</summary>
public sealed class CalendarPublication : IPublication
{
    /// <summary>Octets of a line, without its end.</summary>
    const int Longest = 75;

    public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
    {
        var (text, settings) = (new StringBuilder(), context.Settings);
        Line(text, "BEGIN:VCALENDAR");
        Line(text, "VERSION:2.0");
        Line(text, "PRODID:-//Portal//Maintenance//EN");
        Line(text, "CALSCALE:GREGORIAN");
        Line(text, "METHOD:PUBLISH");
        Line(text, $"X-WR-CALNAME:{Escaped(settings.Title)}");
        Line(text, $"X-WR-TIMEZONE:{settings.Zone.Id}");
        foreach (var window in model.Maintenances.OrderBy(w => w.Times.StartsAt).ThenBy(w => w.Id.Value)) Event(text, window, settings);
        Line(text, "END:VCALENDAR");
        yield return new PublishedDocument("/maintenance.ics", "text/calendar; charset=utf-8", Encoding.UTF8.GetBytes(text.ToString()), ReadApi.ReadApiPublication.OpenToAll);
    }

    static void Event(StringBuilder text, MaintenanceView window, PublicSettings settings)
    {
        var address = $"{settings.BaseUrl}/maintenance/{window.Id}";
        var parts = string.Join(", ", window.Components.Where(c => c.IsNamed).Select(c => c.Name));
        Line(text, "BEGIN:VEVENT");
        Line(text, $"UID:{window.Id}@maintenance");
        Line(text, $"DTSTAMP:{Utc(window.UpdatedAt)}");
        Line(text, $"CREATED:{Utc(window.CreatedAt)}");
        Line(text, $"LAST-MODIFIED:{Utc(window.UpdatedAt)}");
        Line(text, $"SEQUENCE:{window.Sequence.ToString(CultureInfo.InvariantCulture)}");
        Line(text, $"DTSTART:{Utc(window.Times.StartsAt)}");
        Line(text, $"DTEND:{Utc(window.Times.End)}");
        Line(text, $"SUMMARY:{Escaped(window.Title)}");
        Line(text, $"DESCRIPTION:{Escaped(parts.Length > 0 ? $"{window.Message}\n\n{parts}" : window.Message)}");
        Line(text, $"URL:{address}");
        Line(text, $"STATUS:{(window.Times.CancelledAt is null ? "CONFIRMED" : "CANCELLED")}");
        Line(text, "TRANSP:TRANSPARENT");
        Line(text, "END:VEVENT");
    }

    static string Utc(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    static string Escaped(string text) => FeedEntry.Clean(text).Replace("\\", "\\\\", StringComparison.Ordinal).Replace(";", "\\;", StringComparison.Ordinal)
        .Replace(",", "\\,", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>Folded at 75 octets, never within a character.</summary>
    static void Line(StringBuilder text, string line)
    {
        var octets = 0;
        foreach (var rune in line.EnumerateRunes())
        {
            if (octets + rune.Utf8SequenceLength > Longest)
            {
                text.Append("\r\n ");
                octets = 1;
            }
            text.Append(rune);
            octets += rune.Utf8SequenceLength;
        }
        text.Append("\r\n");
    }
}
