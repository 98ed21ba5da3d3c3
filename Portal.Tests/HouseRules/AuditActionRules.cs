using Portal.Features.Incidents;

namespace Portal.Tests.HouseRules;

public class AuditActionRules
{
    [Fact]
    public void Every_action_that_the_overview_shows_is_written_by_somebody()
    {
        var product = Repository.Product.Where(s => !s.Path.EndsWith("SituationNow.cs", StringComparison.Ordinal)).ToList();
        Assert.DoesNotContain(SituationNow.Interesting, action => !product.Any(s => s.Text.Contains($"\"{action}\"", StringComparison.Ordinal)));
    }
}
