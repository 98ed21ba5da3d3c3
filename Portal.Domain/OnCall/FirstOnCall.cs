using Portal.Domain.Access;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>The three policies of the first start.</summary>
public enum FirstPolicy { CriticalInfrastructure, HighPriority, MediumPriority }

/// <summary>One of the six services of the first start.</summary>
/// <param name="IsCritical">Its P1 goes by the policy for critical infrastructure too.</param>
public sealed record ServiceSeed(string Name, string Slug, bool IsCritical)
{
    /// <summary>By which policy an alert of this severity goes.</summary>
    public FirstPolicy PolicyFor(Severity severity) => severity switch
    {
        Severity.P0 => FirstPolicy.CriticalInfrastructure,
        Severity.P1 => IsCritical ? FirstPolicy.CriticalInfrastructure : FirstPolicy.HighPriority,
        _ => FirstPolicy.MediumPriority,
    };
}

/// <summary>What on-call begins with, to be edited: three weekly rotations with a schedule each, and three policies over them. Source: seeds 12, 13.</summary>
/// <param name="Rotations">Primary, secondary, manager.</param>
/// <param name="Schedules">Of the rotations, in their order.</param>
/// <param name="Policies">In the order of <see cref="FirstPolicy"/>.</param>
public sealed record FirstOnCall(IReadOnlyList<Rotation> Rotations, IReadOnlyList<OnCallSchedule> Schedules, IReadOnlyList<EscalationPolicy> Policies)
{
    static readonly TimeOnly HandOverTime = new(9, 0);
    static readonly string[] Names = ["Primary", "Secondary", "Manager"];

    /// <summary>Critical are those whose monitors are. Source: seeds 8, 12.</summary>
    public static IReadOnlyList<ServiceSeed> Services { get; } =
    [
        new("API", "api", false),
        new("Database", "database", true),
        new("Payments", "payments", true),
        new("Jobs", "jobs", false),
        new("Authentication", "authentication", false),
        new("Infrastructure", "infrastructure", true),
    ];

    /// <summary>P2 and P3 wait for these: Monday to Friday, 09:00 to 17:00.</summary>
    public static SupportHours Hours(string zone) => new(WeeklyTimes.Weekdays(HandOverTime, new(17, 0)), zone);

    public EscalationPolicy this[FirstPolicy policy] => Policies[(int)policy];

    /// <param name="people">In the order of the primary rotation; the secondary is one ahead and the manager two, so that three different people are on call if there are three. May be empty.</param>
    /// <param name="zone">IANA id; hand-over is on Monday at 09:00 there. They have begun already: somebody is on call at once.</param>
    public static FirstOnCall Of(IReadOnlyList<PersonId> people, string zone, string by, DateTimeOffset now)
    {
        var wall = ZoneClock.Wall(now, ZoneClock.Zone(zone));
        var start = WeekTime.WeekOf(wall).Add(HandOverTime.ToTimeSpan());
        if (start > wall) start = start.AddDays(-7);
        Rotation[] rotations = [.. Names.Select((name, ahead) =>
            new Rotation(name, zone, start, HandOvers.Weekly(), [.. people.Select((_, i) => people[(i + ahead) % people.Count])], now).KeptFilled(ahead))];
        OnCallSchedule[] schedules = [.. rotations.Select(r => new OnCallSchedule(r.Name, zone, [new(r.Name, r.Id, null)], now))];
        var (primary, secondary, manager) = (EscalationTarget.Of(schedules[0].Id), EscalationTarget.Of(schedules[1].Id), EscalationTarget.Of(schedules[2].Id));
        // Everybody has been told by the time within which somebody must respond: 5 min, 30 min, 1 h (seeds 21); "escalate at once" (seeds 16) pages two from the start.
        return new(rotations, schedules,
        [
            new("Critical infrastructure", [Step(5, primary, secondary), Step(5, manager, primary)], 3, by, now),
            new("High priority", [Step(15, primary), Step(15, secondary), Step(15, manager)], 2, by, now),
            new("Medium priority", [Step(30, primary), Step(30, secondary)], 1, by, now),
        ]);
    }

    static EscalationStep Step(int delay, params EscalationTarget[] targets) => new(new(targets), delay);
}
