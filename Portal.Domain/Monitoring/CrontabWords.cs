using System.Globalization;

namespace Portal.Domain.Monitoring;

/// <summary>A crontab as a person says it.</summary>
public sealed partial class Crontab
{
    const string Daily = "every day";
    /// <summary>More times of a day than these are told by their distance, or not at all.</summary>
    const int MostTimes = 4;

    /// <summary>"every Sunday at 03:30", "every 15 minutes"; null for what would take more words than the crontab itself.</summary>
    public string? InWords()
    {
        if (OnWhichDays() is not { } when) return null;
        if (hours.Count == 24 && Distance(minutes, 60) is { } step) return when != Daily ? null : step == 1 ? "every minute" : $"every {step} minutes";
        if (minutes.Count != 1) return null;
        var past = minutes.Min == 0 ? "" : $" at {minutes.Min} minutes past";
        if (hours.Count <= MostTimes) return $"{when} at {Listed([.. hours.Select(h => $"{h:00}:{minutes.Min:00}")])}";
        return when == Daily && Distance(hours, 24) is { } apart ? apart == 1 ? $"every hour{past}" : $"every {apart} hours{past}" : null;
    }

    string? OnWhichDays()
    {
        var (allDays, allWeekdays) = (anyDay && days.Count == 31, anyWeekday && weekdays.Count == 7);
        var names = CultureInfo.InvariantCulture.DateTimeFormat;
        if (!allWeekdays)
            return !allDays || months.Count < 12 ? null
                : weekdays.SetEquals([1, 2, 3, 4, 5]) ? "Monday to Friday"
                : $"every {Listed([.. weekdays.OrderBy(d => d == 0 ? 7 : d).Select(d => names.DayNames[d])])}";
        if (allDays) return months.Count == 12 ? Daily : null;
        if (months.Count == 12) return days.Count > MostTimes ? null : $"every month on the {Listed([.. days.Select(Ordinal)])}";
        return months.Count == 1 && days.Count == 1 ? $"every year on {days.Min} {names.MonthNames[months.Min - 1]}" : null;
    }

    /// <summary>Between one and the next, where that is always the same, also from the last to the first of the next hour or day.</summary>
    static int? Distance(SortedSet<int> times, int whole)
    {
        var step = whole / times.Count;
        return times.Count > 1 && step * times.Count == whole && times.Select((time, i) => time == i * step).All(fits => fits) ? step : null;
    }

    static string Listed(IReadOnlyList<string> words) => words.Count == 1 ? words[0] : $"{string.Join(", ", words.SkipLast(1))} and {words[^1]}";

    static string Ordinal(int day) => day + (day is 11 or 12 or 13 ? "th" : (day % 10) switch { 1 => "st", 2 => "nd", 3 => "rd", _ => "th" });
}
