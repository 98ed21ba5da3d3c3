using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>The shifts of the next 90 days of whoever holds the address, for their calendar: RFC 5545, times in UTC.</summary>
public sealed class ShiftCalendar(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    static readonly TimeSpan Ahead = TimeSpan.FromDays(90), Behind = TimeSpan.FromDays(7);
    /// <summary>Octets of a line, without its end.</summary>
    const int Longest = 75;

    /// <returns>Null where the address is none, or its person cannot sign in any more.</returns>
    public async Task<string?> Load(string secret, CancellationToken ct)
    {
        if (secret.Length != 43) return null;
        var (hash, now) = (Secret.HashOf(secret), clock.GetUtcNow());
        await using var db = await contexts.CreateDbContextAsync(ct);
        var person = await (from s in db.ShiftSettings join p in db.People on s.PersonId equals p.Id where s.CalendarHash == hash && p.DeactivatedAt == null select p.Id).ToListAsync(ct);
        if (person.Count == 0) return null;
        var range = new Interval(now - Behind, now + Ahead);
        var rosters = await Rosters.Load(db, range, null, ct);
        var text = new StringBuilder();
        foreach (var line in (string[])["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Portal//On-call//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "X-WR-CALNAME:On call", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"]) Line(text, line);
        foreach (var schedule in rosters.Schedules)
            foreach (var shift in rosters[schedule.Id]!.Shifts(range.From, range.To).Where(s => s.Person == person[0])) Event(text, schedule.Name, $"{schedule.Id}-{Utc(shift.Time.From)}", shift.Time, now);
        Line(text, "END:VCALENDAR");
        return text.ToString();
    }

    static void Event(StringBuilder text, string schedule, string uid, Interval time, DateTimeOffset now)
    {
        Line(text, "BEGIN:VEVENT");
        Line(text, $"UID:{uid}@on-call");
        Line(text, $"DTSTAMP:{Utc(now)}");
        Line(text, $"DTSTART:{Utc(time.From)}");
        Line(text, $"DTEND:{Utc(time.To)}");
        Line(text, $"SUMMARY:{Escaped($"On call: {schedule}")}");
        // Somebody on call can still meet others.
        Line(text, "TRANSP:TRANSPARENT");
        Line(text, "END:VEVENT");
    }

    static string Utc(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(";", "\\;", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

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

/// <summary>Serves it to calendars, which sign in nowhere.</summary>
public static class ShiftCalendarEndpoint
{
    public static void MapShiftCalendar(this IEndpointRouteBuilder app) => app.MapGet("/on-call/{secret}.ics", async (string secret, HttpContext http, ShiftCalendar calendar, CancellationToken ct) =>
    {
        http.Response.Headers.CacheControl = "private, no-store";
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        return await calendar.Load(secret, ct) is { } text ? Results.Text(text, "text/calendar; charset=utf-8") : throw new NotFoundException("calendar");
    }).AllowAnonymous().ExcludeFromDescription();
}
