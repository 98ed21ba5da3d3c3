using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>By what a rotation counts its turns.</summary>
public enum HandOverRhythm
{
    Hourly,
    Daily,
    Weekly,
    /// <summary>On the day of the month of the start; on the last day of a month that is too short.</summary>
    Monthly,
    /// <summary>Of our own: a number of minutes.</summary>
    Minutes,
    /// <summary>Of our own: at given times of the week.</summary>
    WeekTimes,
}

/// <summary>When a rotation hands over, as clocks on the wall show it: turn 0 begins at the start, each hand-over begins the next one.</summary>
/// <remarks>
/// Hours and minutes count on the wall as well, so that 08:00, 16:00 and 00:00 stay what they are over a change of the clocks: that turn is an hour shorter or longer, and a turn
/// that lies in a skipped hour is passed over. Who wants elapsed hours gives the rotation the zone UTC.
/// </remarks>
public sealed record HandOvers
{
    public const int MostTimes = 50;

    HandOvers(HandOverRhythm rhythm, int every, IEnumerable<WeekTime> times) => (Rhythm, Every, Times) = (rhythm, every, new(times));

    public HandOverRhythm Rhythm { get; }
    /// <summary>How many hours, days, weeks, months or minutes a turn takes; 1 for times of the week.</summary>
    public int Every { get; }
    /// <summary>In the order of the week; empty unless the rhythm is <see cref="HandOverRhythm.WeekTimes"/>.</summary>
    public Listed<WeekTime> Times { get; }

    /// <param name="hours">1 to 720.</param>
    public static HandOvers Hourly(int hours = 1) => Of(HandOverRhythm.Hourly, hours);

    /// <param name="days">1 to 366.</param>
    public static HandOvers Daily(int days = 1) => Of(HandOverRhythm.Daily, days);

    /// <param name="weeks">1 to 52.</param>
    public static HandOvers Weekly(int weeks = 1) => Of(HandOverRhythm.Weekly, weeks);

    /// <param name="months">1 to 12.</param>
    public static HandOvers Monthly(int months = 1) => Of(HandOverRhythm.Monthly, months);

    /// <param name="minutes">5 to 525,600 (365 days).</param>
    public static HandOvers EachMinutes(int minutes) => Of(HandOverRhythm.Minutes, minutes);

    /// <param name="times">1 to <see cref="MostTimes"/>, each once.</param>
    public static HandOvers AtTimes(params IReadOnlyList<WeekTime> times) => Of(HandOverRhythm.WeekTimes, 1, times);

    /// <exception cref="DomainException">Names the field.</exception>
    public static HandOvers Of(HandOverRhythm rhythm, int every, IReadOnlyList<WeekTime>? times = null)
    {
        var (least, most, unit) = rhythm switch
        {
            HandOverRhythm.Hourly => (1, 720, "hours"),
            HandOverRhythm.Daily => (1, 366, "days"),
            HandOverRhythm.Weekly => (1, 52, "weeks"),
            HandOverRhythm.Monthly => (1, 12, "months"),
            HandOverRhythm.Minutes => (5, 525_600, "minutes"),
            HandOverRhythm.WeekTimes => (1, 1, "weeks"),
            _ => throw new DomainException("A rotation hands over hourly, daily, weekly, monthly, after minutes or at times of the week.", "rhythm"),
        };
        if (every < least || every > most) throw new DomainException($"A turn takes {least} to {most:N0} {unit}.", "every");
        if (rhythm != HandOverRhythm.WeekTimes) return new(rhythm, every, []);
        if (times is not { Count: > 0 and <= MostTimes }) throw new DomainException($"Name 1 to {MostTimes} times of the week at which to hand over.", "times");
        if (times.Select(t => t.Checked("times").Minute).Distinct().Count() != times.Count) throw new DomainException("A time of the week is named twice.", "times");
        return new(rhythm, every, times.OrderBy(t => t.Minute));
    }

    /// <summary>When a turn begins on the wall; strictly later for each turn.</summary>
    /// <param name="turn">From 0.</param>
    internal DateTime BeginningOf(long turn, DateTime start) => Rhythm switch
    {
        _ when turn == 0 => start,
        HandOverRhythm.Monthly => start.AddMonths((int)(turn * Every)),
        HandOverRhythm.WeekTimes => WeekTime.WeekOf(start).AddDays((Passed(start) + turn - 1) / Times.Count * 7).AddMinutes(Times[(int)((Passed(start) + turn - 1) % Times.Count)].Minute),
        _ => start.AddTicks(Length.Ticks * turn),
    };

    /// <summary>The last turn that begins at or before this time on the wall; -1 before the start.</summary>
    internal long TurnAt(DateTime local, DateTime start)
    {
        if (local < start) return -1;
        if (Rhythm == HandOverRhythm.WeekTimes) return (WeekTime.WeekOf(local) - WeekTime.WeekOf(start)).Days / 7 * Times.Count + Passed(local) - Passed(start);
        if (Rhythm != HandOverRhythm.Monthly) return (local - start).Ticks / Length.Ticks;
        var turn = ((local.Year - start.Year) * 12 + local.Month - start.Month) / Every;
        return BeginningOf(turn, start) > local ? turn - 1 : turn;
    }

    /// <summary>How many of the week's times have come by then.</summary>
    int Passed(DateTime local)
    {
        var minute = (local - WeekTime.WeekOf(local)).TotalMinutes;
        return Times.Count(t => t.Minute <= minute);
    }

    /// <summary>On the wall, where all turns have the same.</summary>
    TimeSpan Length => Rhythm switch
    {
        HandOverRhythm.Hourly => TimeSpan.FromHours(Every),
        HandOverRhythm.Daily => TimeSpan.FromDays(Every),
        HandOverRhythm.Weekly => TimeSpan.FromDays(7 * Every),
        _ => TimeSpan.FromMinutes(Every),
    };
}
