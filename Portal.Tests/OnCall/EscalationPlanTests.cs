using Portal.Domain.Alerting;
using Portal.Domain.Access;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class EscalationPlanTests
{
    static readonly DateTimeOffset Now = At("2026-03-02T08:58Z");
    static readonly PersonalContact Push = new("push", "phone", TimeSpan.Zero, true), Sms = new("SMS", "+1", TimeSpan.FromMinutes(2), true), Call = new("call", "+1", TimeSpan.FromMinutes(5), true);

    readonly Rotation rotation = Rotating(HandOvers.Daily(), "2026-03-01T09:00", people: [Ann, Ben, Cat]);
    readonly OnCallSchedule schedule;

    public EscalationPlanTests() => schedule = Schedule(new OnCallLayer("Days", rotation.Id, null));

    IEnumerable<PersonId> OnCall(OnCallScheduleId id, DateTimeOffset at) => id == schedule.Id ? schedule.Roster(rotation).OnCallAt(at).Select(p => p.Person) : [];

    static EscalationPolicyVersion Policy(int repeat, params EscalationStep[] steps) => new EscalationPolicy("Policy", steps, repeat, "x", Past).Current;

    static EscalationStep Step(int delay, params EscalationTarget[] targets) => new(new(targets), delay);

    string[] Plan(EscalationPolicyVersion policy, Func<PersonId, IReadOnlyList<PersonalContact>>? contacts = null) =>
        [.. EscalationPlan.Of(policy, Now, OnCall, contacts ?? (_ => [Push])).Select(p => $"{(p.At - Now).TotalMinutes}: {p.Round}.{p.Step} {Name(p.Person)} {p.By?.Way ?? "none"}{(p.ReachesNobody ? "!" : "")}")];

    [Fact]
    public void Who_is_on_call_is_asked_for_the_moment_at_which_each_step_fires()
    {
        var onCall = EscalationTarget.Of(schedule.Id);
        // Ann hands over to Ben at 09:00, two minutes after it began.
        Assert.Equal(["0: 0.0 a push", "2: 0.1 b push"], Plan(Policy(0, Step(2, onCall), Step(0, onCall))));
    }

    [Fact]
    public void A_person_is_told_in_their_own_order_and_steps_go_on_meanwhile() =>
        Assert.Equal(["0: 0.0 a push", "2: 0.0 a SMS", "3: 0.1 b push", "5: 0.0 a call", "5: 0.1 b SMS", "8: 0.1 b call"],
            Plan(Policy(0, Step(3, EscalationTarget.Of(Ann)), Step(5, EscalationTarget.Of(Ben))), _ => [Call, Push, Sms]));

    [Fact]
    public void All_rounds_are_planned() =>
        Assert.Equal(["0: 0.0 a push", "5: 0.1 b push", "15: 1.0 a push", "20: 1.1 b push"], Plan(Policy(1, Step(5, EscalationTarget.Of(Ann)), Step(10, EscalationTarget.Of(Ben)))));

    [Fact]
    public void A_person_is_told_once_by_a_step_however_often_they_are_meant() =>
        Assert.Equal(["0: 0.0 a push"], Plan(Policy(0, Step(5, EscalationTarget.Of(Ann), EscalationTarget.Of(schedule.Id)))));

    [Fact]
    public void Where_nobody_would_hear_of_it_the_plan_says_so()
    {
        var empty = EscalationTarget.Of(new OnCallScheduleId(Guid.Empty));
        var group = EscalationTarget.Of(new ContactGroupId(Guid.Empty));
        var channel = EscalationTarget.Of(new ChannelId(Guid.Empty));
        Assert.Equal(["0: 0.0 - none!", "0: 0.0 - none", "0: 0.0 - none", "0: 0.0 a none!"], Plan(Policy(0, Step(5, empty, group, channel, EscalationTarget.Of(Ann))), _ => []));
        Assert.Equal([true, false, false, false], Step(5, empty, group, channel, EscalationTarget.Of(Ann)).At(Now, OnCall).Select(t => t.IsNobody));
    }

    [Fact]
    public void An_alert_that_nobody_acknowledges_goes_the_way_that_was_planned()
    {
        for (var seed = 1; seed <= 200; seed++)
        {
            var random = new Random(seed);
            var steps = Enumerable.Range(0, random.Next(1, 6)).Select(_ => Step(random.Next(1, 90), random.Next(2) == 0 ? EscalationTarget.Of(schedule.Id) : EscalationTarget.Of(new[] { Ann, Ben, Cat }[random.Next(3)])));
            var policy = Policy(random.Next(0, 4), [.. steps]);
            var (escalation, told) = (new Escalation(Id.New<AlertId>(Now), policy, Now, Now), new List<(DateTimeOffset, int, int, PersonId?)>());
            while (escalation.NextAt is { } next)
            {
                var fired = escalation.Fire(policy, next);
                told.AddRange(fired.Step.At(next, OnCall).Select(t => (next, fired.Round, fired.Index, t.Person)));
            }
            var planned = EscalationPlan.Of(policy, Now, OnCall, _ => [Push]).Select(p => (p.At, p.Round, p.Step, p.Person));
            Assert.True(told.SequenceEqual(planned), $"seed {seed}");
            Assert.Equal(policy.StepsInAll, told.Count);
        }
    }

    [Theory]
    [InlineData(Severity.P0, 5, 5, 60, 0, 15)]
    [InlineData(Severity.P1, 5, 30, 240, 240, 30)]
    [InlineData(Severity.P2, 10, 60, 480, 1_440, 60)]
    [InlineData(Severity.P3, null, 2_880, 10_080, 10_080, 240)]
    public void Severities_promise_their_times(Severity severity, int? detect, int respond, int resolve, int escalate, int update)
    {
        var targets = SeverityTargets.Of(severity);
        Assert.Equal((detect, respond, resolve, escalate, update), ((int?)targets.Detect?.TotalMinutes, targets.Respond.TotalMinutes, targets.Resolve.TotalMinutes, targets.EscalateAfter.TotalMinutes, targets.UpdateEvery.TotalMinutes));
    }
}
