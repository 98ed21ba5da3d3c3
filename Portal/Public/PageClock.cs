using Portal.Domain.StatusPages;

namespace Portal.Public;

/// <summary>At which instants the page changes by itself, and how its renderings are numbered so that nodes agree.</summary>
public static class PageClock
{
    /// <summary>From this age on the page says how old it is.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(1);

    /// <summary>The ages at which the words about it change.</summary>
    public static readonly IReadOnlyList<TimeSpan> AgeSteps = [StaleAfter, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(60)];

    /// <summary>Three years of seconds; the product stays exact in a browser's numbers up to page version 90,000,000.</summary>
    const long Renders = 100_000_000;

    /// <summary>The database's version, then the whole seconds since that change: it rises with time as well, and two nodes that speak of the same instant agree.</summary>
    public static long Version(StatusPageModel model, DateTimeOffset asOf) =>
        model.Version * Renders + Math.Clamp((long)(asOf - model.ChangedAt).TotalSeconds, 0, Renders - 1);

    /// <summary>A rendering speaks of the last full minute, or of the change itself where that is later: never of a node's own instant.</summary>
    public static DateTimeOffset AsOf(DateTimeOffset changedAt, DateTimeOffset now)
    {
        var minute = Minute(now);
        return changedAt > minute ? changedAt : minute;
    }

    /// <summary>As above, or of the last known instant that has passed since: a promise that became overdue, maintenance that began or ended, a step of the age.</summary>
    public static DateTimeOffset AsOf(StatusPageModel model, DateTimeOffset now, DateTimeOffset? lostSince) =>
        Instants(model, lostSince).Where(instant => instant <= now).Append(AsOf(model.ChangedAt, now)).Max();

    public static DateTimeOffset Minute(DateTimeOffset at) => at.AddTicks(-(at.UtcTicks % TimeSpan.TicksPerMinute)).ToUniversalTime();

    /// <summary>The next instant after <paramref name="after"/> at which the page reads differently although nothing changed.</summary>
    /// <param name="lostSince">When the model was last known to be the newest, if the database is away: the age counts from there.</param>
    public static DateTimeOffset Next(StatusPageModel model, TimeZoneInfo zone, DateTimeOffset? lostSince, DateTimeOffset after)
    {
        var tomorrow = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(after, zone).DateTime).AddDays(1);
        return Instants(model, lostSince).Append(UptimeRules.DayIn(zone, tomorrow).From).Append(Minute(after).AddMinutes(1)).Where(instant => instant > after).Min();
    }

    static IEnumerable<DateTimeOffset> Instants(StatusPageModel model, DateTimeOffset? lostSince) =>
        model.Incidents.Where(i => i.ResolvedAt is null && i.NextUpdateBy is not null).Select(i => i.NextUpdateBy!.Value)
            .Concat(model.Maintenances.SelectMany(m => m.Times.Edges).Select(e => e.At))
            .Concat(lostSince is { } since ? AgeSteps.Select(age => since + age) : []);
}
