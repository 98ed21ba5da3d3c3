using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Features.Maintenance;

/// <summary>A plan while somebody types it: local times of a zone, minutes as text.</summary>
public sealed class PlanDraft
{
    static readonly TimeSpan Usual = TimeSpan.FromHours(1);
    MaintenancePlan? shown;

    public string Title { get; set; } = "";
    public string Message { get; set; } = "";
    public DateTime? Starts { get; set; }
    public DateTime? Ends { get; set; }
    public string VerifyMinutes { get; set; } = "0";
    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;
    public Dictionary<ComponentId, ComponentStatus> Chosen { get; } = [];

    /// <summary>Nobody has touched the times: the next full hour, one hour long, where the person lives.</summary>
    public void Suggest(TimeZoneInfo zone, DateTimeOffset now)
    {
        Zone = zone;
        var local = TimeZoneInfo.ConvertTime(now, zone).DateTime;
        var hour = local.Date.AddHours(local.Hour + 1);
        while (zone.IsInvalidTime(hour)) hour = hour.AddHours(1);
        (Starts, Ends) = (hour, hour + Usual);
    }

    public void Show(MaintenancePlan plan)
    {
        shown = plan;
        (Title, Message, VerifyMinutes) = (plan.Title, plan.Message, $"{plan.VerifyFor.TotalMinutes:0}");
        Zone = TimeZoneInfo.TryFindSystemTimeZoneById(plan.Zone, out var zone) ? zone : TimeZoneInfo.Utc;
        (Starts, Ends) = (Local(plan.StartsAt), Local(plan.EndsAt));
        Chosen.Clear();
        foreach (var component in plan.Components) Chosen[component] = ComponentStatus.UnderMaintenance;
    }

    /// <summary>The end goes along, so that the length stays.</summary>
    public void MoveTo(DateTime? start)
    {
        if (start is { } to && Starts is { } from && Ends is { } end && end > from) Ends = end + (to - from);
        Starts = start;
    }

    /// <summary>When it lasts as far as that can be told; empty while something is missing or wrong.</summary>
    public Interval Time
    {
        get
        {
            try
            {
                var plan = Read();
                return new(plan.StartsAt, plan.EndsAt);
            }
            catch (DomainException)
            {
                return default;
            }
        }
    }

    /// <exception cref="DomainException">Something is missing, or the clocks jump over a time; it names the field.</exception>
    public MaintenancePlan Read() => new(Title, Message, At(Starts, shown?.StartsAt, "startsAt"), At(Ends, shown?.EndsAt, "endsAt"), Zone.Id,
        TimeSpan.FromMinutes(int.TryParse(VerifyMinutes.Trim() is "" ? "0" : VerifyMinutes, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var minutes) && minutes <= 100_000 ? minutes
            : throw new DomainException("The time to verify is a number of minutes.", "verifyMinutes")), [.. Chosen.Keys]);

    DateTimeOffset At(DateTime? typed, DateTimeOffset? stands, string field)
    {
        if (typed is not { } local) throw new DomainException("A day and a time are required.", field);
        // The field shows whole minutes: what was not touched stays as it is, to the second.
        return stands is { } same && Local(same) == local ? same : WallClock.Read(local, Zone, field);
    }

    DateTime Local(DateTimeOffset at)
    {
        var local = TimeZoneInfo.ConvertTime(at, Zone).DateTime;
        return local.AddTicks(-(local.Ticks % TimeSpan.TicksPerMinute));
    }
}
