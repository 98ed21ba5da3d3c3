using Portal.Domain.OnCall;

namespace Portal.Tests.OnCall;

/// <summary>
/// A wall clock in a zone, looked at every minute. It knows nothing but the offset of each minute, and notes when each time of the wall comes: as it is first shown, and for what the
/// clock jumps over as many minutes after the jump as it lies behind its beginning.
/// </summary>
sealed class MinuteByMinute
{
    /// <summary>Minute 0, of the wall and of UTC alike: before the clocks change in autumn 2025.</summary>
    public static readonly DateTime Base = new(2025, 10, 1, 0, 0, 0, DateTimeKind.Unspecified);
    /// <summary>To 14 January 2027.</summary>
    public const int Minutes = 470 * 1_440;

    static readonly Dictionary<string, MinuteByMinute> Clocks = [];

    /// <summary>By minute of the wall: the minute of UTC at which it comes.</summary>
    readonly int[] comes = new int[Minutes + 2_000];
    static readonly DateTime[] Wall = [.. Enumerable.Range(0, Minutes + 2_000).Select(m => Base.AddMinutes(m))];

    MinuteByMinute(string zone)
    {
        Array.Fill(comes, -1);
        var (info, seen) = (TimeZoneInfo.FindSystemTimeZoneById(zone), int.MinValue);
        for (var utc = -1_440; utc < Minutes + 1_440; utc++)
        {
            var shown = utc + (int)info.GetUtcOffset(UtcOf(utc)).TotalMinutes;
            if (shown <= seen) continue;
            if (seen != int.MinValue)
                for (var jumped = seen + 1; jumped < shown; jumped++) Note(jumped, utc + (jumped - seen - 1));
            Note(shown, utc);
            seen = shown;
        }
    }

    void Note(int shown, int utc)
    {
        if (shown >= 0 && shown < comes.Length) comes[shown] = utc;
    }

    /// <summary>One for each zone, since looking takes time.</summary>
    public static MinuteByMinute In(string zone)
    {
        lock (Clocks) return Clocks.TryGetValue(zone, out var clock) ? clock : Clocks[zone] = new(zone);
    }

    public static DateTimeOffset UtcOf(int minute) => new(Base.AddMinutes(minute), TimeSpan.Zero);

    /// <summary>By minute of UTC: which place of a list of so many people is on duty; -1 nobody.</summary>
    public int[] Duty(HandOvers handOvers, DateTime start, int people)
    {
        var (begins, duty) = (new int[Minutes], new int[Minutes]);
        Array.Fill(begins, -1);
        var (first, turn, times) = ((int)(start - Base).TotalMinutes, -1, handOvers.Times.ToArray());
        for (var minute = first; minute < Wall.Length && comes[minute] >= 0; minute++)
        {
            if (minute != first && !IsHandOver(handOvers, times, start, minute - first, Wall[minute])) continue;
            turn++;
            // Of those that come in one minute, or too late, the one that is later on the wall counts.
            if (comes[minute] < Minutes) begins[comes[minute]] = Math.Max(begins[comes[minute]], turn);
        }
        for (var (minute, current) = (0, -1); minute < Minutes; minute++)
        {
            current = Math.Max(current, begins[minute]);
            duty[minute] = current < 0 || people == 0 ? -1 : current % people;
        }
        return duty;
    }

    static bool IsHandOver(HandOvers handOvers, WeekTime[] times, DateTime start, int sinceStart, DateTime at) => handOvers.Rhythm switch
    {
        HandOverRhythm.Hourly => sinceStart % (handOvers.Every * 60) == 0,
        HandOverRhythm.Minutes => sinceStart % handOvers.Every == 0,
        HandOverRhythm.Daily => sinceStart % 1_440 == 0 && (at.Date - start.Date).Days % handOvers.Every == 0,
        HandOverRhythm.Weekly => sinceStart % 1_440 == 0 && at.DayOfWeek == start.DayOfWeek && (at.Date - start.Date).Days / 7 % handOvers.Every == 0,
        HandOverRhythm.Monthly => sinceStart % 1_440 == 0 && at.Day == Math.Min(start.Day, DateTime.DaysInMonth(at.Year, at.Month)) && (at.Year * 12 + at.Month - start.Year * 12 - start.Month) % handOvers.Every == 0,
        _ => Array.Exists(times, t => Is(t, at)),
    };

    /// <summary>By minute of UTC: whether weekly times hold.</summary>
    public bool[] Holds(WeeklyTimes? times)
    {
        var holds = new bool[Minutes];
        if (times is null) Array.Fill(holds, true);
        foreach (var span in times?.Spans ?? new([]))
            for (var from = 0; from < Minutes; from++)
            {
                if (!Is(span.From, Wall[from])) continue;
                var to = from + 1;
                while (to < Minutes && !Is(span.To, Wall[to])) to++;
                for (var minute = comes[from]; minute >= 0 && minute < comes[to] && minute < Minutes; minute++) holds[minute] = true;
            }
        return holds;
    }

    static bool Is(WeekTime time, DateTime at) => at.TimeOfDay.Ticks == time.At.Ticks && at.DayOfWeek == time.Day;
}
