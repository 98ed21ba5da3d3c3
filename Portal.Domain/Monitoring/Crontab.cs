using System.Globalization;
using Portal.Domain.Shared;

namespace Portal.Domain.Monitoring;

/// <summary>
/// Times as a crontab writes them: minute, hour, day of the month, month, day of the week (0 or 7 is Sunday), with <c>*</c>, lists, ranges, steps, names,
/// and <c>@hourly</c>, <c>@daily</c>, <c>@weekly</c>, <c>@monthly</c>, <c>@yearly</c>. Where both days are given, either is enough.
/// </summary>
/// <remarks>As cron does it: a time that the clocks skip comes at the moment they are set forward; one that they repeat comes once, unless the hour is left open.</remarks>
public sealed partial class Crontab
{
    static readonly TimeSpan Horizon = TimeSpan.FromDays(366 * 8 + 2);
    static readonly Dictionary<string, string> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@hourly"] = "0 * * * *",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@weekly"] = "0 0 * * 0",
        ["@monthly"] = "0 0 1 * *",
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
    };
    static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    readonly string text;
    readonly SortedSet<int> minutes, hours, days, months, weekdays;
    readonly bool anyHour, anyDay, anyWeekday;

    Crontab(string text, string[] fields)
    {
        this.text = text;
        (minutes, hours, days) = (Set(fields[0], 0, 59, []), Set(fields[1], 0, 23, []), Set(fields[2], 1, 31, []));
        (months, weekdays) = (Set(fields[3], 1, 12, Months, 1), Set(fields[4], 0, 7, Days));
        if (weekdays.Remove(7)) weekdays.Add(0);
        (anyHour, anyDay, anyWeekday) = (fields[1].StartsWith('*'), fields[2].StartsWith('*'), fields[4].StartsWith('*'));
    }

    public override string ToString() => text;

    /// <exception cref="DomainException">Not a crontab, or one whose time never comes.</exception>
    public static Crontab Parse(string text)
    {
        var fields = Words.GetValueOrDefault(text.Trim(), text).Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5) throw Wrong($"It has {fields.Length} fields.");
        var made = new Crontab(text.Trim(), fields);
        // 29 February may be eight years away.
        return made.Next(new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero), TimeZoneInfo.Utc) is null ? throw Wrong("That day never comes.") : made;
    }

    /// <summary>The first time after this one; null when there is none within eight years.</summary>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        // A day before: what was shifted by a change of the clocks may belong to the day before.
        var first = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(after, zone).DateTime).AddDays(-1);
        for (var date = first; date.DayNumber - first.DayNumber < Horizon.TotalDays; date = date.AddDays(1))
        {
            if (!Falls(date)) continue;
            DateTimeOffset? next = null;
            foreach (var at in Times(date, zone))
                if (at > after && (next is null || at < next)) next = at;
            if (next is not null) return next;
        }
        return null;
    }

    bool Falls(DateOnly date)
    {
        if (!months.Contains(date.Month)) return false;
        var (day, weekday) = (days.Contains(date.Day), weekdays.Contains((int)date.DayOfWeek));
        return anyDay || anyWeekday ? day && weekday : day || weekday;
    }

    IEnumerable<DateTimeOffset> Times(DateOnly date, TimeZoneInfo zone)
    {
        foreach (var hour in hours)
            foreach (var minute in minutes)
            {
                var local = date.ToDateTime(new TimeOnly(hour, minute));
                if (zone.IsInvalidTime(local))
                {
                    if (!anyHour) yield return EndOfGap(local, zone);
                    continue;
                }
                if (!zone.IsAmbiguousTime(local))
                {
                    yield return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
                    continue;
                }
                var offsets = zone.GetAmbiguousTimeOffsets(local);
                yield return new DateTimeOffset(local, offsets.Max()).ToUniversalTime();
                if (anyHour) yield return new DateTimeOffset(local, offsets.Min()).ToUniversalTime();
            }
    }

    static DateTimeOffset EndOfGap(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local)) local = local.AddMinutes(1);
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    static SortedSet<int> Set(string field, int least, int most, string[] names, int firstName = 0)
    {
        var all = new SortedSet<int>();
        foreach (var part in field.Split(','))
        {
            var (range, step) = part.Split('/') is [var r, var s] ? (r, Number(s, 1, most, [], 0, field)) : part.Contains('/', StringComparison.Ordinal) ? throw Wrong($"\"{field}\" cannot be read.") : (part, 1);
            var edges = range.Split('-');
            var (from, to) = range == "*" ? (least, least == 0 && most == 7 ? 6 : most)
                : edges.Length > 2 ? throw Wrong($"\"{field}\" cannot be read.")
                : (Number(edges[0], least, most, names, firstName, field), edges.Length == 2 ? Number(edges[1], least, most, names, firstName, field) : part.Contains('/', StringComparison.Ordinal) ? most : -1);
            if (to < 0) to = from;
            if (from > to) throw Wrong($"\"{field}\" runs backwards.");
            for (var i = from; i <= to; i += step) all.Add(i);
        }
        return all;
    }

    static int Number(string text, int least, int most, string[] names, int firstName, string field)
    {
        var name = Array.FindIndex(names, n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (name >= 0) return name + firstName;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : throw Wrong($"\"{field}\" cannot be read: it takes {least} to {most}.");
    }

    static DomainException Wrong(string why) => new($"The crontab cannot be read. {why} It has five fields: minute, hour, day of the month, month, day of the week. For example: 30 3 * * 1-5.", "cron");
}
