namespace Portal.Public;

/// <summary>At which instants the page changes by itself, and how its renderings are numbered so that nodes agree.</summary>
public static class PageClock
{
    /// <summary>From this age on the page says how old it is.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(1);

    /// <summary>The ages at which the words about it change.</summary>
    public static readonly IReadOnlyList<TimeSpan> AgeSteps = [StaleAfter, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(60)];

    const long Renders = 1_000_000;

    /// <summary>The database's version, then the whole seconds since that change: it rises with time as well, and two nodes that speak of the same instant agree.</summary>
    public static long Version(StatusPageModel model, DateTimeOffset asOf) =>
        model.Version * Renders + Math.Clamp((long)(asOf - model.ChangedAt).TotalSeconds, 0, Renders - 1);

    /// <summary>A rendering speaks of the last full minute, or of the change itself where that is later: never of a node's own instant.</summary>
    public static DateTimeOffset AsOf(DateTimeOffset changedAt, DateTimeOffset now)
    {
        var minute = Minute(now);
        return changedAt > minute ? changedAt : minute;
    }

    public static DateTimeOffset Minute(DateTimeOffset at) => at.AddTicks(-(at.UtcTicks % TimeSpan.TicksPerMinute)).ToUniversalTime();

    /// <summary>The next instant after <paramref name="after"/> at which the page reads differently although nothing changed.</summary>
    /// <param name="confirmedAt">When the model was last known to be the newest; the age counts from there.</param>
    public static DateTimeOffset Next(StatusPageModel model, TimeZoneInfo zone, DateTimeOffset confirmedAt, DateTimeOffset after)
    {
        var tomorrow = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(after, zone).DateTime).AddDays(1);
        return model.Incidents.Where(i => i.ResolvedAt is null && i.NextUpdateBy is not null).Select(i => i.NextUpdateBy!.Value)
            .Concat(AgeSteps.Select(age => confirmedAt + age))
            .Append(Domain.StatusPages.UptimeRules.DayIn(zone, tomorrow).From)
            .Append(Minute(after).AddMinutes(1))
            .Where(instant => instant > after).Min();
    }
}
