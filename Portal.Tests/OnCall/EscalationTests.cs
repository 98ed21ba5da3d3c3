using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class EscalationTests
{
    static readonly DateTimeOffset Now = At("2026-03-02T12:00Z");
    static readonly AlertId Alert = Id.New<AlertId>(Now);
    static readonly Actor Program = new(ActorKind.ApiKey, null, "Deploy key", new HashSet<Permission>());

    readonly EscalationPolicy policy = new("Policy", [Step(5, Ann), Step(10, Ben), Step(0, Cat)], 0, "x", Past);
    readonly Escalation escalation;

    public EscalationTests() => escalation = new(Alert, policy.Current, Now, Now);

    static EscalationStep Step(int delay, params Portal.Domain.Access.PersonId[] people) => new(new(people.Select(EscalationTarget.Of)), delay);

    static DateTimeOffset After(double minutes) => Now.AddMinutes(minutes);

    string Fire(double minutes)
    {
        var fired = escalation.Fire(policy.Current, After(minutes));
        return Name(fired.Step.Targets[0].Person);
    }

    [Fact]
    public void Steps_fire_one_after_the_other_each_after_the_delay_of_the_one_before()
    {
        Assert.True(escalation.IsDue(Now));
        var first = escalation.Fire(policy.Current, Now);
        Assert.Equal((0, 0, Now, Now), (first.Round, first.Index, first.DueAt, first.At));
        Assert.Equal(After(5), escalation.NextAt);
        Assert.False(escalation.IsDue(After(4.99)));
        Assert.Equal("b", Fire(5));
        Assert.Equal(After(15), escalation.NextAt);
        Assert.Equal("c", Fire(15));
        Assert.Equal((EscalationState.Exhausted, null), (escalation.State, escalation.NextAt));
        Assert.Contains("Every step has fired", Refusal(() => Fire(30)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_does_not_fire_before_it_is_due()
    {
        Fire(0);
        Assert.Contains("not due", Refusal(() => Fire(4.99)), StringComparison.Ordinal);
        Assert.Equal("b", Fire(5));
    }

    [Fact]
    public void A_step_that_fires_late_gives_the_whole_time_to_those_whom_it_tells()
    {
        Assert.Equal("a", Fire(60));
        Assert.Equal(After(65), escalation.NextAt);
    }

    [Fact]
    public void Rounds_are_gone_through_as_often_as_the_policy_says()
    {
        var repeating = new EscalationPolicy("Again", [Step(5, Ann), Step(10, Ben)], 2, "x", Past).Current;
        var again = new Escalation(Alert, repeating, Now, Now);
        var fired = new List<string>();
        while (again.NextAt is { } next)
        {
            var step = again.Fire(repeating, next);
            fired.Add($"{step.Round}{Name(step.Step.Targets[0].Person)}{(next - Now).TotalMinutes}");
        }
        Assert.Equal(["0a0", "0b5", "1a15", "1b20", "2a30", "2b35"], fired);
        Assert.Equal(EscalationState.Exhausted, again.State);
    }

    [Fact]
    public void The_first_step_waits_until_support_hours_open()
    {
        var waiting = new Escalation(Alert, policy.Current, After(600), Now);
        Assert.Contains("not due", Refusal(() => waiting.Fire(policy.Current, After(599))), StringComparison.Ordinal);
        waiting.Acknowledge(Now, Cast.Bob, After(60));
        waiting.TimeOut(After(60));
        Assert.Equal(After(600), waiting.NextAt);
        waiting.Escalate(policy.Current, After(61));
        Assert.Equal(0, waiting.Fire(policy.Current, After(61)).Index);
    }

    [Fact]
    public void Acknowledging_stops_it()
    {
        Fire(0);
        escalation.Acknowledge(After(1), Cast.Bob);
        Assert.Equal((EscalationState.Acknowledged, null, "Bob"), (escalation.State, escalation.NextAt, escalation.AcknowledgedBy));
        Assert.Contains("Bob has it", Refusal(() => Fire(5)), StringComparison.Ordinal);
        Assert.Contains("still has it", Refusal(() => escalation.TimeOut(After(10_000))), StringComparison.Ordinal);
    }

    [Fact]
    public void An_acknowledgement_that_runs_out_fires_the_last_step_again_and_goes_on()
    {
        Fire(0);
        escalation.Acknowledge(After(1), Cast.Bob, After(31));
        Assert.Contains("Bob still has it", Refusal(() => escalation.TimeOut(After(30))), StringComparison.Ordinal);
        Assert.True(escalation.IsDue(After(31)));
        escalation.TimeOut(After(31));
        Assert.Equal((EscalationState.Running, After(31), null), (escalation.State, escalation.NextAt, escalation.AcknowledgedBy));
        Assert.Equal("a", Fire(31));
        Assert.Equal("b", Fire(36));
    }

    [Fact]
    public void An_alert_at_the_end_of_its_policy_is_not_forgotten_when_its_acknowledgement_runs_out()
    {
        Assert.Equal("abc", Fire(0) + Fire(5) + Fire(15));
        escalation.Acknowledge(After(20), Cast.Bob, After(30));
        escalation.TimeOut(After(30));
        Assert.Equal("c", Fire(30));
        Assert.Equal(EscalationState.Exhausted, escalation.State);
    }

    [Fact]
    public void Acknowledging_again_before_anything_fired_does_not_lead_back_further()
    {
        Assert.Equal("ab", Fire(0) + Fire(5));
        for (var i = 6; i < 9; i++)
        {
            escalation.Acknowledge(After(i), Cast.Bob);
            escalation.Unacknowledge(After(i));
        }
        Assert.Equal("b", Fire(9));
    }

    [Fact]
    public void A_second_acknowledgement_takes_over_and_the_first_human_is_remembered()
    {
        escalation.Acknowledge(After(1), Program, After(30));
        Assert.Null(escalation.FirstHumanAt);
        escalation.Acknowledge(After(2), Cast.Bob, After(40));
        escalation.Acknowledge(After(3), Cast.Alice, After(50));
        Assert.Equal((After(2), "Alice", After(50)), (escalation.FirstHumanAt, escalation.AcknowledgedBy, escalation.NextAt));
    }

    [Fact]
    public void An_acknowledgement_has_bounds_and_can_be_given_back_once()
    {
        Refusal(() => escalation.Acknowledge(Now, Cast.Bob, Now), "until");
        Refusal(() => escalation.Acknowledge(Now, Cast.Bob, Now.AddDays(7).AddTicks(1)), "until");
        Assert.Contains("no acknowledgement", Refusal(() => escalation.Unacknowledge(Now)), StringComparison.Ordinal);
        Assert.Contains("no acknowledgement", Refusal(() => escalation.TimeOut(Now)), StringComparison.Ordinal);
        escalation.Acknowledge(Now, Cast.Bob, Now.AddDays(7));
        escalation.Unacknowledge(After(1));
        Assert.Equal("a", Fire(1));
    }

    [Fact]
    public void What_is_resolved_stays_so()
    {
        escalation.Resolve(After(1));
        escalation.Resolve(After(9));
        Assert.Equal((EscalationState.Resolved, null, After(1)), (escalation.State, escalation.NextAt, escalation.ResolvedAt));
        foreach (var late in new Action[] { () => Fire(9), () => escalation.Acknowledge(Now, Cast.Bob), () => escalation.Unacknowledge(Now), () => escalation.TimeOut(Now), () => escalation.Escalate(policy.Current, Now), () => escalation.Reassign(policy.Current, Now) })
            Assert.Contains("is resolved", Refusal(late), StringComparison.Ordinal);
        Assert.Equal(After(1), escalation.ResolvedAt);
    }

    [Fact]
    public void Escalating_by_hand_fires_the_next_step_at_once_also_if_somebody_has_it()
    {
        Fire(0);
        escalation.Escalate(policy.Current, After(1));
        Assert.Equal("b", Fire(1));
        escalation.Acknowledge(After(2), Cast.Bob);
        escalation.Escalate(policy.Current, After(3));
        Assert.Equal("c", Fire(3));
        Assert.Contains("nobody left", Refusal(() => escalation.Escalate(policy.Current, After(4))), StringComparison.Ordinal);
    }

    [Fact]
    public void Escalating_by_hand_leads_past_a_step_that_was_about_to_fire_again()
    {
        Fire(0);
        escalation.Acknowledge(After(1), Cast.Bob, After(2));
        escalation.TimeOut(After(2));
        escalation.Escalate(policy.Current, After(2));
        Assert.Equal("b", Fire(2));
    }

    [Fact]
    public void Reassigning_begins_anew_by_the_other_policy()
    {
        Assert.Equal("abc", Fire(0) + Fire(5) + Fire(15));
        var other = new EscalationPolicy("Other", [Step(5, Dan)], 0, "x", Past).Current;
        escalation.Acknowledge(After(16), Cast.Bob);
        escalation.Reassign(other, After(20));
        Assert.Equal((EscalationState.Running, After(20), other.Policy, null), (escalation.State, escalation.NextAt, escalation.PolicyId, escalation.AcknowledgedBy));
        Assert.Contains("keeps the version", Refusal(() => Fire(20)), StringComparison.Ordinal);
        Assert.Equal(Dan, escalation.Fire(other, After(20)).Step.Targets[0].Person);
    }

    [Fact]
    public void An_alert_keeps_the_version_that_it_began_with()
    {
        var old = policy.Current;
        Fire(0);
        policy.Change([Step(1, Eve)], 0, "x", After(1));
        Assert.Contains("keeps the version", Refusal(() => Fire(5)), StringComparison.Ordinal);
        Assert.Contains("keeps the version", Refusal(() => escalation.Escalate(policy.Current, After(5))), StringComparison.Ordinal);
        Assert.Equal(Ben, escalation.Fire(policy.Numbered(escalation.PolicyNumber), After(5)).Step.Targets[0].Person);
        Assert.Same(old, policy.Numbered(1));
    }

    [Fact]
    public void A_policy_without_a_step_takes_no_alert() =>
        Refusal(() => new Escalation(Alert, policy.Current with { Steps = new([]) }, Now, Now), "policy");

    [Fact]
    public void A_change_makes_a_version_only_where_something_is_different()
    {
        policy.Change([Step(5, Ann), Step(10, Ben), Step(0, Cat)], 0, "y", Now);
        Assert.Single(policy.Versions);
        policy.Change([Step(5, Ann), Step(11, Ben), Step(0, Cat)], 0, "y", Now);
        Assert.Equal((2, "y", Now), (policy.Current.Number, policy.Current.MadeBy, policy.Current.MadeAt));
        Assert.Throws<NotFoundException>(() => policy.Numbered(3));
    }

    [Fact]
    public void What_makes_no_policy_is_refused()
    {
        Refusal(() => policy.Change([], 0, "x", Now), "steps");
        Refusal(() => policy.Change([.. Enumerable.Repeat(Step(5, Ann), 21)], 0, "x", Now), "steps");
        Refusal(() => policy.Change([Step(5)], 0, "x", Now), "steps");
        Refusal(() => policy.Change([Step(5, Ann, Ann)], 0, "x", Now), "steps");
        Refusal(() => policy.Change([Step(-1, Ann)], 0, "x", Now), "steps");
        Refusal(() => policy.Change([Step(10_081, Ann)], 0, "x", Now), "steps");
        Refusal(() => policy.Change([Step(0, Ann)], 1, "x", Now), "steps");
        Refusal(() => policy.Change([Step(5, Ann)], 10, "x", Now), "repeat");
        Refusal(() => policy.Rename(""), "name");
        Assert.Single(policy.Versions);
    }
}
