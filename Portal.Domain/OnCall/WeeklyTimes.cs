using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>A time of the week as a clock in some zone shows it, to the minute.</summary>
public readonly record struct WeekTime(DayOfWeek Day, TimeOnly At)
{
    internal const int MinutesPerWeek = 7 * 24 * 60;

    /// <summary>Since Monday 00:00; 0 to 10,079.</summary>
    internal int Minute => ((int)Day + 6) % 7 * 1_440 + At.Hour * 60 + At.Minute;

    /// <summary>Monday 00:00 of the week in which this local time lies.</summary>
    internal static DateTime WeekOf(DateTime local) => local.Date.AddDays(-(((int)local.DayOfWeek + 6) % 7));

    /// <exception cref="DomainException">No day of the week, or not a whole minute.</exception>
    internal WeekTime Checked(string field) =>
        !Enum.IsDefined(Day) ? throw new DomainException("A day is Sunday to Saturday.", field)
        : ZoneClock.IsWhole(At) ? this : throw new DomainException("Times of the week are whole minutes.", field);
}

/// <summary>From one time of the week to another, half-open; from Friday 17:00 to Monday 09:00 runs over the weekend.</summary>
public readonly record struct WeekSpan(WeekTime From, WeekTime To);

/// <summary>Times of the week, such as weekdays 09:00–17:00, in a zone that whoever asks knows. Touching and overlapping spans are one.</summary>
/// <remarks>Each span begins once and ends once: where the clocks repeat an hour it is not left and entered again. See <see cref="ZoneClock"/>.</remarks>
public sealed record WeeklyTimes
{
    public const int MostSpans = 50;

    /// <param name="spans">1 to <see cref="MostSpans"/>, none empty; always is told by having no weekly times.</param>
    /// <exception cref="DomainException">Names the field.</exception>
    public WeeklyTimes(IReadOnlyList<WeekSpan> spans)
    {
        if (spans.Count is 0 or > MostSpans) throw new DomainException($"Weekly times have 1 to {MostSpans} spans. Leave them out for the whole week.", "times");
        foreach (var span in spans)
            if (span.From.Checked("times") == span.To.Checked("times")) throw new DomainException("A span of the week ends at another time than it begins. Leave the times out for the whole week.", "times");
        Spans = new(spans);
    }

    public Listed<WeekSpan> Spans { get; }

    /// <summary>The same hours on each of these days.</summary>
    /// <param name="until">Not after <paramref name="from"/>: on the day after.</param>
    public static WeeklyTimes On(IEnumerable<DayOfWeek> days, TimeOnly from, TimeOnly until) =>
        new([.. days.Distinct().Select(day => new WeekSpan(new(day, from), new(until > from ? day : (DayOfWeek)(((int)day + 1) % 7), until)))]);

    /// <summary>Monday to Friday.</summary>
    public static WeeklyTimes Weekdays(TimeOnly from, TimeOnly until) =>
        On([DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday], from, until);

    public bool Holds(DateTimeOffset at, TimeZoneInfo zone) => Within(new(at, at.AddTicks(1)), zone).Count > 0;

    /// <summary>The first instant, this one included, at which they hold.</summary>
    public DateTimeOffset Next(DateTimeOffset at, TimeZoneInfo zone) =>
        // A span that the clocks skip altogether comes a week later.
        Within(new(at, at.AddDays(16)), zone)[0].From;

    /// <summary>When they hold within a range: clipped to it, in their order, none touching another.</summary>
    public IReadOnlyList<Interval> Within(Interval range, TimeZoneInfo zone)
    {
        var all = new List<Interval>();
        var last = ZoneClock.Wall(range.To, zone) + ZoneClock.LongestJump;
        // A span is at most a week long, so what holds at the beginning began in this week or the one before.
        for (var week = WeekTime.WeekOf(ZoneClock.Wall(range.From, zone) - ZoneClock.LongestJump).AddDays(-7); week <= last; week = week.AddDays(7))
            foreach (var span in Spans)
            {
                var (from, to) = (span.From.Minute, span.To.Minute);
                if (to <= from) to += WeekTime.MinutesPerWeek;
                var time = new Interval(ZoneClock.At(week.AddMinutes(from), zone), ZoneClock.At(week.AddMinutes(to), zone)).Intersect(range);
                if (!time.IsEmpty) all.Add(time);
            }
        return Merged(all);
    }

    /// <summary>The same instants in spans of which none touches another, in their order.</summary>
    internal static List<Interval> Merged(IEnumerable<Interval> spans)
    {
        var merged = new List<Interval>();
        foreach (var span in spans.OrderBy(s => s.From))
            if (merged.Count > 0 && span.From <= merged[^1].To) merged[^1] = merged[^1] with { To = span.To > merged[^1].To ? span.To : merged[^1].To };
            else merged.Add(span);
        return merged;
    }
}
