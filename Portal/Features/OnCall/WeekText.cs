using System.Globalization;
using System.Text.RegularExpressions;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Features.OnCall;

/// <summary>Times of the week as people type them: "Mon–Fri 09:00–17:00, Sat 10:00–Sun 08:00" and "Mon 09:00, Fri 17:00".</summary>
public static partial class WeekText
{
    static readonly DayOfWeek[] Days = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday, DayOfWeek.Saturday, DayOfWeek.Sunday];

    /// <returns>Null for an empty text: always.</returns>
    /// <exception cref="DomainException">Names the part that is not understood.</exception>
    public static WeeklyTimes? Spans(string? text, string field)
    {
        var spans = new List<WeekSpan>();
        foreach (var part in Parts(text))
        {
            var m = SpanForm().Match(part);
            if (!m.Success) throw new DomainException($"\"{part}\" is no time of the week like Mon–Fri 09:00–17:00 or Fri 17:00–Mon 09:00.", field);
            var (first, from, until) = (Day(m.Groups[1].Value), Time(m.Groups[3].Value, field), Time(m.Groups[5].Value, field));
            if (m.Groups[4].Success && m.Groups[2].Success) throw new DomainException($"\"{part}\" names too many days.", field);
            if (m.Groups[4].Success) spans.Add(new(new(first, from), new(Day(m.Groups[4].Value), until)));
            else spans.AddRange(WeeklyTimes.On(Range(first, m.Groups[2].Success ? Day(m.Groups[2].Value) : first), from, until).Spans);
        }
        return spans.Count == 0 ? null : new(spans);
    }

    public static string Of(WeeklyTimes? times)
    {
        if (times is null) return "";
        var words = new List<string>();
        foreach (var group in times.Spans.GroupBy(s => (s.From.At, Until: s.To.At, Across: (Place(s.To.Day) - Place(s.From.Day) + 7) % 7)))
            if (group.Key.Across == 0 && group.Key.Until > group.Key.At || group.Key.Across == 1 && group.Key.Until <= group.Key.At)
                words.AddRange(Runs(group.Select(s => Place(s.From.Day))).Select(r => $"{(r.From == r.To ? Short(r.From) : $"{Short(r.From)}–{Short(r.To)}")} {Clock(group.Key.At)}–{Clock(group.Key.Until)}"));
            else words.AddRange(group.Select(s => $"{Short(Place(s.From.Day))} {Clock(s.From.At)}–{Short(Place(s.To.Day))} {Clock(s.To.At)}"));
        return string.Join(", ", words);
    }

    /// <exception cref="DomainException">Names the part that is not understood.</exception>
    public static IReadOnlyList<WeekTime> Times(string? text, string field) => [.. Parts(text).Select(part => TimeForm().Match(part) is { Success: true } m ? new WeekTime(Day(m.Groups[1].Value), Time(m.Groups[2].Value, field))
        : throw new DomainException($"\"{part}\" is no time of the week like Mon 09:00.", field))];

    public static string Of(IEnumerable<WeekTime> times) => string.Join(", ", times.Select(t => $"{Short(Place(t.Day))} {Clock(t.At)}"));

    static string[] Parts(string? text) => (text ?? "").Split([',', ';', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    static int Place(DayOfWeek day) => ((int)day + 6) % 7;

    static string Short(int place) => Days[place].ToString()[..3];

    static string Clock(TimeOnly at) => at.ToString("HH:mm", CultureInfo.InvariantCulture);

    static DayOfWeek Day(string name) => Days.First(d => d.ToString().StartsWith(name[..3], StringComparison.OrdinalIgnoreCase));

    static TimeOnly Time(string text, string field) => TimeOnly.TryParseExact(text, ["HH:mm", "H:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : throw new DomainException($"\"{text}\" is no time like 09:00.", field);

    static IEnumerable<DayOfWeek> Range(DayOfWeek from, DayOfWeek to)
    {
        for (var place = Place(from); ; place = (place + 1) % 7)
        {
            yield return Days[place];
            if (place == Place(to)) yield break;
        }
    }

    static List<(int From, int To)> Runs(IEnumerable<int> places)
    {
        var runs = new List<(int From, int To)>();
        foreach (var place in places.Distinct().Order())
            if (runs.Count > 0 && runs[^1].To == place - 1) runs[^1] = (runs[^1].From, place);
            else runs.Add((place, place));
        return runs;
    }

    const string DayForm = "(mon|tue|wed|thu|fri|sat|sun)[a-z]*", Dash = @"\s*[-–]\s*";

    [GeneratedRegex($@"^{DayForm}(?:{Dash}{DayForm})?\s+(\d{{1,2}}:\d\d){Dash}(?:{DayForm}\s+)?(\d{{1,2}}:\d\d)$", RegexOptions.IgnoreCase)]
    private static partial Regex SpanForm();

    [GeneratedRegex($@"^{DayForm}\s+(\d{{1,2}}:\d\d)$", RegexOptions.IgnoreCase)]
    private static partial Regex TimeForm();
}
