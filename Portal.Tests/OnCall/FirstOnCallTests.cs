using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

public class FirstOnCallTests
{
    // A Wednesday.
    static readonly DateTimeOffset Now = At("2026-03-25T12:00Z");

    static FirstOnCall First(params Portal.Domain.Access.PersonId[] people) => FirstOnCall.Of(people, "Europe/Berlin", "x", Now);

    static string Who(FirstOnCall first, string at) => string.Concat(first.Schedules.Select(s => Name(s.Roster(first.Rotations.ToArray()).OnCallAt(At(at)).SingleOrDefault()?.Person)));

    [Fact]
    public void Three_different_people_are_on_call_at_once_and_hand_over_on_monday_at_nine()
    {
        var first = First(Ann, Ben, Cat);
        Assert.Equal(["Primary", "Secondary", "Manager"], first.Rotations.Select(r => r.Name));
        Assert.Equal(["abc", "abc", "bca"], new[] { "2026-03-25T12:00Z", "2026-03-30T06:59Z", "2026-03-30T07:00Z" }.Select(at => Who(first, at)));
        // Before nine on a Monday the turn is that of the week before.
        Assert.Equal("ab", string.Concat(new[] { "2026-03-23T07:59Z", "2026-03-23T08:00Z" }.Select(at => Name(FirstOnCall.Of([Ann, Ben], "Europe/Berlin", "x", At("2026-03-23T07:30Z")).Rotations[0].OnDutyAt(At(at))))));
    }

    [Fact]
    public void Without_people_it_stands_and_the_checks_say_what_is_missing()
    {
        var first = First();
        Assert.Equal("---", Who(first, "2026-03-25T12:00Z"));
        var findings = PathChecks.Of(first[FirstPolicy.HighPriority].Current, new(_ => "It", id => first.Schedules.Single(s => s.Id == id).Roster(first.Rotations.ToArray()), _ => []), Now);
        Assert.Equal(6, findings.Count(f => f.Fault is PathFault.Gap or PathFault.StepReachesNobody));
    }

    [Fact]
    public void Somebody_alone_is_everything() => Assert.Equal("aaa", Who(First(Ann), "2026-03-30T12:00Z"));

    [Theory]
    [InlineData(FirstPolicy.CriticalInfrastructure, "Critical infrastructure", Severity.P0)]
    [InlineData(FirstPolicy.HighPriority, "High priority", Severity.P1)]
    [InlineData(FirstPolicy.MediumPriority, "Medium priority", Severity.P2)]
    public void Everybody_of_a_policy_has_been_told_by_the_time_to_respond(FirstPolicy policy, string name, Severity severity)
    {
        var first = First(Ann, Ben, Cat);
        var version = first[policy].Current;
        var pages = EscalationPlan.Of(version, Now, (id, at) => first.Schedules.Single(s => s.Id == id).Roster(first.Rotations.ToArray()).OnCallAt(at).Select(p => p.Person), _ => []);
        Assert.Equal(name, first[policy].Name);
        Assert.All(pages.GroupBy(p => p.Person), g => Assert.True(g.Min(p => p.At) - Now <= SeverityTargets.Of(severity).Respond));
        Assert.Equal(version.Steps.SelectMany(s => s.Targets).Distinct().Count(), pages.Select(p => p.Person).Distinct().Count());
    }

    [Fact]
    public void Six_services_send_their_alerts_by_severity()
    {
        Assert.Equal(["API", "Database", "Payments", "Jobs", "Authentication", "Infrastructure"], FirstOnCall.Services.Select(s => s.Name));
        Assert.All(FirstOnCall.Services, s => Assert.Equal((FirstPolicy.CriticalInfrastructure, FirstPolicy.MediumPriority, FirstPolicy.MediumPriority), (s.PolicyFor(Severity.P0), s.PolicyFor(Severity.P2), s.PolicyFor(Severity.P3))));
        Assert.Equal(["Database", "Payments", "Infrastructure"], FirstOnCall.Services.Where(s => s.PolicyFor(Severity.P1) == FirstPolicy.CriticalInfrastructure).Select(s => s.Name));
        Assert.Equal(At("2026-03-30T07:00Z"), FirstOnCall.Hours("Europe/Berlin").NextOpen(At("2026-03-27T16:00Z")));
    }
}
