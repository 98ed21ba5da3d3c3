using Portal.Domain.Alerting;
using Portal.Domain.Shared;

namespace Portal.Tests.Alerting;

public class RuleJudgementTests
{
    static RuleCondition Threshold(RuleComparison comparison, double limit) => new RuleCondition(AlertRuleKind.Threshold, new([]), "error-rate", comparison, limit).Checked();

    [Theory]
    [InlineData(RuleComparison.Above, 5, 5.01, RuleVerdict.Bad)]
    [InlineData(RuleComparison.Above, 5, 5, RuleVerdict.Undecided)]
    [InlineData(RuleComparison.Above, 5, 4.51, RuleVerdict.Undecided)]
    [InlineData(RuleComparison.Above, 5, 4.5, RuleVerdict.Good)]
    [InlineData(RuleComparison.Above, 0, 0, RuleVerdict.Good)]
    [InlineData(RuleComparison.Above, 0, 1, RuleVerdict.Bad)]
    [InlineData(RuleComparison.Below, 60, 59.9, RuleVerdict.Bad)]
    [InlineData(RuleComparison.Below, 60, 65.9, RuleVerdict.Undecided)]
    [InlineData(RuleComparison.Below, 60, 66, RuleVerdict.Good)]
    public void A_figure_must_go_back_a_tenth_behind_its_limit_before_it_is_well_again(RuleComparison comparison, double limit, double value, RuleVerdict verdict) =>
        Assert.Equal(verdict, Threshold(comparison, limit).Judge(new(value)));

    [Fact]
    public void A_figure_that_trembles_on_its_limit_changes_nothing()
    {
        var rule = Threshold(RuleComparison.Above, 100);
        var firing = false;
        var turns = 0;
        foreach (var value in Enumerable.Range(0, 200).Select(i => 97.0 + i % 7))
        {
            var now = rule.Judge(new(value)) switch { RuleVerdict.Bad => true, RuleVerdict.Good => false, _ => firing };
            if (now != firing) turns++;
            firing = now;
        }
        Assert.Equal((1, true), (turns, firing));
    }

    [Fact]
    public void Without_data_nothing_is_decided_except_that_data_is_missing()
    {
        Assert.Equal(RuleVerdict.Undecided, Threshold(RuleComparison.Above, 5).Judge(new(null, IsHeard: false)));
        Assert.Equal(RuleVerdict.Undecided, Threshold(RuleComparison.Below, 5).Judge(new(double.NaN)));
        var missing = new RuleCondition(AlertRuleKind.MissingData, new([]), "requests").Checked();
        Assert.Equal(RuleVerdict.Bad, missing.Judge(new(null, IsHeard: false)));
        Assert.Equal(RuleVerdict.Good, missing.Judge(new(null)));
    }

    [Theory]
    // 99.9 % allows 0.1 % of errors: 1.44 % use the budget up 14.4 times too fast.
    [InlineData(1.5, 1.5, RuleVerdict.Bad)]
    [InlineData(1.5, 1.0, RuleVerdict.Good)]
    [InlineData(1.0, 5.0, RuleVerdict.Good)]
    [InlineData(1.4, 1.5, RuleVerdict.Undecided)]
    [InlineData(null, 1.5, RuleVerdict.Undecided)]
    [InlineData(1.5, null, RuleVerdict.Undecided)]
    public void A_budget_burns_while_both_windows_say_so_and_stops_with_either(double? longer, double? shorter, RuleVerdict verdict) =>
        Assert.Equal(verdict, new RuleCondition(AlertRuleKind.BurnRate, new([]), "error-rate", Limit: 14.4, WindowMinutes: 60, ShortMinutes: 5, Objective: 0.999).Checked().Judge(new(longer, shorter)));
}
