using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Drills;
using Portal.Tests.Support;

namespace Portal.Tests.Drills;

public class DrillRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly BackupTarget Target = BackupTarget.OfPortal(Now, Id.New<BackupTargetId>(Now));
    static readonly Actor Dora = Cast.Alice with { Id = Guid.CreateVersion7(), Name = "Dora" };

    static Drill Begun(Guid? by = null, DateTimeOffset? at = null) => new(Id.New<JobRunId>(at ?? Now), DrillScenario.DatabaseLost, Target, DrillObjectives.Standard, "Alice", by ?? Cast.Alice.Id, at ?? Now);

    static Drill Over(DrillOutcome outcome = DrillOutcome.Passed, DateTimeOffset? at = null)
    {
        var drill = Begun(at: at);
        drill.Measured(TimeSpan.FromMinutes(4), TimeSpan.FromSeconds(38), true);
        drill.End(outcome, outcome == DrillOutcome.Passed ? null : "It did not.", (at ?? Now).AddMinutes(5));
        return drill;
    }

    [Theory]
    [InlineData(DrillCheckRule.IsTrue, null, "true", true)]
    [InlineData(DrillCheckRule.IsTrue, null, "t", true)]
    [InlineData(DrillCheckRule.IsTrue, null, "f", false)]
    [InlineData(DrillCheckRule.IsTrue, null, null, false)]
    [InlineData(DrillCheckRule.AtLeast, "10", "10", true)]
    [InlineData(DrillCheckRule.AtLeast, "10", "9.99", false)]
    [InlineData(DrillCheckRule.AtLeast, "10", "ten", false)]
    [InlineData(DrillCheckRule.AtLeast, "-1", "1e3", true)]
    [InlineData(DrillCheckRule.AtMost, "0", "0", true)]
    [InlineData(DrillCheckRule.AtMost, "0", "1", false)]
    [InlineData(DrillCheckRule.AtMost, "0", null, false)]
    [InlineData(DrillCheckRule.Equals, "EUR", "EUR", true)]
    [InlineData(DrillCheckRule.Equals, "EUR", "eur", false)]
    public void A_check_accepts_what_its_rule_says(DrillCheckRule rule, string? value, string? answer, bool accepted) =>
        Assert.Equal(accepted, new DrillCheck(Target.Id, "Check", "select 1", rule, value, Now).Accepts(answer));

    [Theory]
    [InlineData("", "select 1", DrillCheckRule.IsTrue, null, "name")]
    [InlineData("Check", " ", DrillCheckRule.IsTrue, null, "sql")]
    [InlineData("Check", "select 1", DrillCheckRule.AtLeast, "many", "value")]
    [InlineData("Check", "select 1", DrillCheckRule.Equals, null, "value")]
    public void A_check_is_refused_by_the_field_that_is_wrong(string name, string sql, DrillCheckRule rule, string? value, string field) =>
        Assert.Equal(field, Assert.Throws<DomainException>(() => new DrillCheck(Target.Id, name, sql, rule, value, Now)).Field);

    [Fact]
    public void Scenarios_have_the_names_of_the_contract_and_those_that_are_not_built_say_so()
    {
        Assert.Equal(["database-lost", "accidental-deletion", "node-lost", "store-lost", "ransomware", "backup-service-lost"], Enum.GetValues<DrillScenario>().Select(DrillScenarios.NameOf));
        Assert.Equal(DrillScenario.DatabaseLost, DrillScenarios.Parse("database-lost"));
        Assert.Contains("not built yet", Assert.Throws<DomainException>(() => DrillScenarios.Parse("ransomware")).Message, StringComparison.Ordinal);
        Assert.Equal("scenario", Assert.Throws<DomainException>(() => DrillScenarios.Parse("flood")).Field);
        Assert.Equal("scenario", Assert.Throws<DomainException>(() => DrillScenarios.Parse(null)).Field);
    }

    [Fact]
    public void Objectives_are_met_below_them_and_only_by_a_drill_that_passed()
    {
        Assert.True(Over().MetAll);
        Assert.False(Over(DrillOutcome.Failed).MetAll);
        var drill = Begun();
        Assert.Null(drill.MetLoss);
        drill.Measured(TimeSpan.FromHours(1), TimeSpan.FromMinutes(15), false);
        drill.End(DrillOutcome.Passed, null, Now);
        Assert.Equal((false, false, false), (drill.MetRecovery, drill.MetLoss, drill.MetAll));
    }

    [Fact]
    public void Only_a_second_person_signs_off_and_then_nothing_changes_any_more()
    {
        var running = Begun();
        Assert.Throws<DomainException>(() => running.SignOff(Dora, Now));
        var drill = Over();
        Assert.Contains("asked for", Assert.Throws<DomainException>(() => drill.SignOff(Cast.Alice, Now)).Message, StringComparison.Ordinal);
        drill.Learn("It is slow.", Dora);
        // Who wrote before somebody else did wrote on them as well.
        drill.Learn("It is slow, very.", Cast.Bob);
        Assert.Contains("wrote on its lessons", Assert.Throws<DomainException>(() => drill.SignOff(Dora, Now)).Message, StringComparison.Ordinal);
        var third = Dora with { Id = Guid.CreateVersion7(), Name = "Erin" };
        Assert.Contains("program", Assert.Throws<DomainException>(() => drill.SignOff(third with { Kind = ActorKind.ApiKey }, Now)).Message, StringComparison.Ordinal);
        drill.SignOff(third, Now);
        Assert.Equal("Erin", drill.SignedOffBy);
        Assert.Throws<DomainException>(() => drill.Learn("Otherwise.", Dora));
        Assert.Throws<DomainException>(() => new DrillAction(drill, "Buy a disk", "Bob", Cast.Alice, Now));
        Assert.Throws<DomainException>(() => drill.SignOff(third, Now));
    }

    [Fact]
    public void An_action_is_open_until_it_was_done_and_a_later_drill_has_passed_with_it()
    {
        var action = new DrillAction(Over(), "Buy a disk", "Bob", Cast.Alice, Now);
        action.Tested(Over(at: Now.AddDays(7)));
        Assert.True(action.IsOpen, "it was not done");
        action.Done(Cast.Bob, Now.AddDays(8));
        action.Tested(Over(at: Now.AddDays(7)));
        Assert.True(action.IsOpen, "that drill had begun before");
        action.Tested(Over(DrillOutcome.Failed, Now.AddDays(14)));
        Assert.True(action.IsOpen, "that drill did not pass");
        action.Reopen();
        action.Tested(Over(at: Now.AddDays(14)));
        Assert.True(action.IsOpen, "it was not done after all");
        action.Done(Cast.Bob, Now.AddDays(15));
        action.Tested(Over(at: Now.AddDays(21)));
        Assert.False(action.IsOpen);
        Assert.Throws<DomainException>(action.Reopen);
    }

    [Fact]
    public void Evidence_that_is_changed_moved_or_cut_does_not_fit_its_seal()
    {
        var (one, two) = (Id.New<JobRunId>(Now), Id.New<JobRunId>(Now.AddDays(7)));
        var review = new DrillReview("ab", "Lessons", "Dora", [new("Buy a disk", "Bob", null)], "Erin", null);
        var first = new DrillEvidence(one, DrillEvidenceKind.SignOff, review, null, Now.AddTicks(7));
        var second = new DrillEvidence(two, DrillEvidenceKind.SignOff, review with { Lessons = "Other" }, first, Now);
        Assert.Equal((1, 2), (first.Position, second.Position));
        Assert.True(first.IsWhole(AuditSeal.Beginning) && second.IsWhole(first.Seal));
        Assert.False(second.IsWhole(AuditSeal.Beginning));
        Assert.Equal("Lessons", first.Review().Lessons);
        typeof(DrillEvidence).GetProperty(nameof(DrillEvidence.Content))!.SetValue(first, first.Content.Replace("Lessons", "Lesson", StringComparison.Ordinal));
        Assert.False(first.IsWhole(AuditSeal.Beginning));
    }

    [Fact]
    public void Each_attempt_has_a_scratch_server_of_its_own_that_names_its_run()
    {
        var run = Id.New<JobRunId>(Now);
        Assert.NotEqual(ScratchPlace.NameOf(run, 1), ScratchPlace.NameOf(run, 2));
        Assert.Equal(run, ScratchPlace.RunOf(ScratchPlace.NameOf(run, 12)));
        Assert.Null(ScratchPlace.RunOf("somebody-else"));
    }

    [Fact]
    public void Drills_are_for_administrators()
    {
        Assert.Contains(Permission.RunDrills, Permissions.Of(Role.Admin));
        Assert.DoesNotContain(Permission.ViewDrills, Permissions.Of(Role.Staff));
        Assert.Equal(("drills:read", "drills:write"), (Permissions.ScopeOf(Permission.ViewDrills), Permissions.ScopeOf(Permission.RunDrills)));
    }
}
