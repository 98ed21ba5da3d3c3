using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class PathChecksTests
{
    static readonly DateTimeOffset Now = At("2026-03-02T12:00Z");
    static readonly WeeklyTimes Office = WeeklyTimes.Weekdays(new(9, 0), new(17, 0));

    readonly Dictionary<EscalationTarget, string> names = new() { [EscalationTarget.Of(Ann)] = "Ann", [EscalationTarget.Of(Ben)] = "Ben" };
    readonly Dictionary<OnCallScheduleId, Roster> rosters = [];
    readonly Dictionary<PersonId, PersonalContact[]> contacts = new() { [Ann] = [Mail("ann")], [Ben] = [Mail("ben")] };

    static PersonalContact Mail(string address, bool isVerified = true) => new("e-mail", address, TimeSpan.Zero, isVerified);

    EscalationTarget Add(OnCallSchedule schedule, string name, params Rotation[] rotations)
    {
        rosters[schedule.Id] = schedule.Roster(rotations);
        names[EscalationTarget.Of(schedule.Id)] = name;
        return EscalationTarget.Of(schedule.Id);
    }

    static EscalationPolicyVersion Policy(params EscalationTarget[][] steps) => new(default, 1, new(steps.Select(s => new EscalationStep(new(s), 5))), 0, "x", Past);

    IReadOnlyList<PathFinding> Check(EscalationPolicyVersion policy) =>
        PathChecks.Of(policy, new(t => names.GetValueOrDefault(t), id => rosters.GetValueOrDefault(id), p => contacts.GetValueOrDefault(p) ?? []), Now);

    PathFinding Finding(params EscalationTarget[][] steps) => Assert.Single(Check(Policy(steps)));

    static (PathFault, PersonId) FaultOf(PathFinding finding) => (finding.Fault, finding.Person!.Value);

    [Fact]
    public void A_policy_that_always_reaches_somebody_is_without_findings()
    {
        var rotation = Rotating(HandOvers.Daily(), "2026-03-01T09:00", people: [Ann, Ben]);
        var always = Add(Schedule(Layer(Ann, Office), new OnCallLayer("Nights", rotation.Id, null)), "Always", rotation);
        Assert.Empty(Check(Policy([always], [EscalationTarget.Of(Ben)])));
    }

    [Fact]
    public void Steps_that_tell_nobody_are_found()
    {
        Assert.Equal(PathFault.NoSteps, Finding().Fault);
        Assert.Equal([(PathFault.EmptyStep, 1)], Check(Policy([EscalationTarget.Of(Ann)], [])).Select(f => (f.Fault, f.Step!.Value)));
        Assert.Equal(PathFault.EmptyStep, Finding([EscalationTarget.Of(Dan)]).Fault);
        var gone = Finding([EscalationTarget.Of(Ann), EscalationTarget.Of(Dan)]);
        Assert.Equal((PathFault.TargetGone, 0), (gone.Fault, gone.Step!.Value));
    }

    [Fact]
    public void Gaps_of_a_schedule_within_30_days_are_found_with_the_first_one()
    {
        var schedule = Schedule(Layer(Ann));
        schedule.Override(Time("2026-03-31T10:00Z", "2026-03-31T11:00Z"), Ann, null, "x", Past);
        schedule.Override(Time("2026-04-01T13:00Z", "2026-04-01T14:00Z"), Ann, null, "x", Past);
        var findings = Check(Policy([Add(schedule, "Primary")]));
        Assert.Equal([PathFault.Gap, PathFault.StepReachesNobody], findings.Select(f => f.Fault));
        Assert.Equal(Time("2026-03-31T10:00Z", "2026-03-31T11:00Z"), findings[0].When);
        Assert.Contains("nobody is on call in Primary from 31 Mar, 10:00 UTC to 31 Mar, 11:00 UTC.", findings[0].Words, StringComparison.Ordinal);
    }

    [Fact]
    public void Further_gaps_are_counted_and_an_empty_schedule_is_told_as_such()
    {
        Assert.Contains("and 4 more times in the next 30 days", Check(Policy([Add(Schedule(Layer(Ann, WeeklyTimes.On([DayOfWeek.Monday], new(0, 0), new(23, 0)))), "Mondays")]))[0].Words, StringComparison.Ordinal);
        Assert.Contains("nobody is on call in Empty in the next 30 days", Check(Policy([Add(Schedule(), "Empty")]))[0].Words, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_reaches_nobody_only_where_all_its_schedules_have_nobody()
    {
        var days = Add(Schedule(Layer(Ann, WeeklyTimes.On(Enum.GetValues<DayOfWeek>(), new(8, 0), new(20, 0)))), "Days");
        var nights = Add(Schedule(Layer(Ben, WeeklyTimes.On(Enum.GetValues<DayOfWeek>(), new(20, 0), new(7, 0)))), "Nights");
        var findings = Check(Policy([days, nights]));
        Assert.Equal([PathFault.Gap, PathFault.Gap, PathFault.StepReachesNobody], findings.Select(f => f.Fault));
        Assert.Equal(Time("2026-03-03T07:00Z", "2026-03-03T08:00Z"), findings[2].When);
        Assert.DoesNotContain(Check(Policy([days, nights, EscalationTarget.Of(Ann)])), f => f.Fault == PathFault.StepReachesNobody);
    }

    [Fact]
    public void Everybody_who_is_on_call_within_30_days_needs_a_verified_contact()
    {
        // Ben's only turn is in the fourth week.
        var rotation = Rotating(HandOvers.Weekly(), "2026-03-02T09:00", people: [Ann, Ann, Ann, Ben]);
        var schedule = Add(Schedule(new OnCallLayer("Weeks", rotation.Id, null)), "Weeks", rotation);
        contacts[Ben] = [];
        Assert.Equal((PathFault.NoContacts, Ben), FaultOf(Finding([schedule])));
        contacts[Ben] = [Mail("ben", false), Mail("ben2", false)];
        Assert.Equal((PathFault.UnverifiedContacts, Ben), FaultOf(Finding([schedule])));
        contacts[Ben] = [Mail("ben", false), Mail("ben2")];
        Assert.Empty(Check(Policy([schedule])));
    }

    [Fact]
    public void All_ways_into_one_address_are_found()
    {
        contacts[Ben] = [Mail("ANN")];
        Assert.Equal(PathFault.OneAddress, Finding([EscalationTarget.Of(Ann)], [EscalationTarget.Of(Ben)]).Fault);
        names[EscalationTarget.Of(new ChannelId(Guid.Empty))] = "Slack";
        Assert.Empty(Check(Policy([EscalationTarget.Of(Ann)], [EscalationTarget.Of(Ben), EscalationTarget.Of(new ChannelId(Guid.Empty))])));
    }
}
