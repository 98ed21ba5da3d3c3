using Portal.Domain.StatusPages;

namespace Portal.Tests.StatusPages;

public class StatusRulesTests
{
    [Fact]
    public void Maintenance_hides_an_override_and_an_override_hides_the_evidence()
    {
        ComponentStatus[] evidence = [ComponentStatus.MajorOutage];
        Assert.Equal(ComponentStatus.MajorOutage, StatusRules.Effective(false, null, evidence));
        Assert.Equal(ComponentStatus.Operational, StatusRules.Effective(false, ComponentStatus.Operational, evidence));
        Assert.Equal(ComponentStatus.UnderMaintenance, StatusRules.Effective(true, ComponentStatus.Operational, evidence));
    }

    [Theory]
    [InlineData("O O", "None", Indicator.None, Headline.AllOperational)]
    [InlineData("", "None", Indicator.None, Headline.AllOperational)]
    [InlineData("J J", "None", Indicator.Critical, Headline.MajorSystemOutage)]
    [InlineData("J O", "None", Indicator.Major, Headline.PartialSystemOutage)]
    [InlineData("P P", "None", Indicator.Major, Headline.PartialSystemOutage)]
    [InlineData("P O", "None", Indicator.Minor, Headline.MinorOutage)]
    [InlineData("D D", "None", Indicator.Minor, Headline.DegradedService)]
    [InlineData("D O", "None", Indicator.Minor, Headline.PartiallyDegraded)]
    [InlineData("U O", "None", Indicator.Maintenance, Headline.UnderMaintenance)]
    [InlineData("U D", "None", Indicator.Minor, Headline.PartiallyDegraded)]
    [InlineData("O O", "Critical", Indicator.Critical, Headline.MajorSystemOutage)]
    [InlineData("O O", "Minor", Indicator.Minor, Headline.MinorOutage)]
    [InlineData("J O", "Minor", Indicator.Major, Headline.PartialSystemOutage)]
    public void The_overall_status_follows_the_rules_of_the_public_api(string components, string impact, Indicator indicator, Headline headline)
    {
        var statuses = components.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => c switch
        {
            "J" => ComponentStatus.MajorOutage,
            "P" => ComponentStatus.PartialOutage,
            "D" => ComponentStatus.DegradedPerformance,
            "U" => ComponentStatus.UnderMaintenance,
            _ => ComponentStatus.Operational,
        }).ToList();
        Assert.Equal((indicator, headline), StatusRules.Overall(statuses, [Enum.Parse<Indicator>(impact)]));
    }
}
