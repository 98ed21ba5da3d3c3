using Portal.Domain.OnCall;

namespace Portal.Features.OnCall;

/// <summary>Somebody who is on call at an instant.</summary>
/// <param name="Until">As long as they are on call without a break; null beyond what was looked at.</param>
public sealed record OnDuty(OnCallPerson Person, string Name, DateTimeOffset? Until);

/// <summary>A schedule at an instant: who is on call, who comes next, and where nobody will be.</summary>
public sealed record OnCallNow(OnCallSchedule Schedule, IReadOnlyList<OnDuty> People, HandOver? Next, IReadOnlyList<string> NextNames, IReadOnlyList<Domain.Shared.Interval> Gaps)
{
    public static readonly TimeSpan Horizon = PathChecks.Horizon;

    public static IReadOnlyList<OnCallNow> Of(OnCallDesk.View view, DateTimeOffset at) => [.. view.Rosters.Schedules.Select(schedule =>
    {
        var roster = view.Rosters[schedule.Id]!;
        var end = at + Horizon;
        var shifts = roster.Shifts(at, end);
        var next = roster.NextHandOver(at);
        return new OnCallNow(schedule,
            [.. roster.OnCallAt(at).Select(p => new OnDuty(p, view.NameOf(p.Person), shifts.First(s => s.Person == p.Person).Time.To is var to && to < end ? to : null))],
            next, [.. next?.To.Select(view.NameOf) ?? []], roster.Gaps(at, end));
    })];
}
