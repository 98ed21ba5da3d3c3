using Portal.Domain.Alerting;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Features.Metrics;
using Portal.Infrastructure.Metrics;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

public sealed class RulePreviewTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly FakeClock clock = new(new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero));

    static readonly RuleCondition Errors = new RuleCondition(AlertRuleKind.Threshold, new([]), "error-rate", RuleComparison.Above, 5, 5).Checked();

    RulePreview Preview() => new(new Measurements(database.Contexts), clock);

    /// <summary>Four hours of points, one a minute; in two quarters of an hour one of eleven requests fails.</summary>
    async Task Measure()
    {
        MetricSeries Of(string status) => new(MetricNames.Requests, MetricKind.Counter, "", new Dictionary<string, string> { ["node"] = "here", ["status"] = status });
        var (good, failed) = (Of("2xx"), Of("5xx"));
        var points = Enumerable.Range(1, 240).Select(i => (At: clock.GetUtcNow().AddMinutes(-i), Bad: i is (> 60 and <= 75) or (> 120 and <= 135)));
        await new PointStore(database.Database, clock).Store([.. points.SelectMany(p => new MetricPoint[] { new(good, p.At, 600), new(failed, p.At, p.Bad ? 60 : 0) })], default);
    }

    [Fact]
    public async Task It_says_how_often_a_rule_would_have_fired_and_which_limit_would_have_been_enough()
    {
        Assert.Equal("Nothing was measured of it in the last 7 days.", (await Preview().Load(Errors, Cast.Alice, default)).InWords);
        await Measure();
        var seen = await Preview().Load(Errors, Cast.Alice, default);
        Assert.Equal(2, seen.Fired.Count);
        Assert.All(seen.Fired, f => Assert.InRange(f.Length, TimeSpan.FromMinutes(12), TimeSpan.FromMinutes(20)));
        Assert.StartsWith("It would have fired 2 times. Of 9", seen.InWords);
        Assert.Empty((await Preview().Load(Errors with { Limit = 20 }, Cast.Alice, default)).Fired);
        // 60 of 660 are 9 %.
        Assert.Equal(new RulePreview.Proposal(10, 0), await Preview().LoadProposal(Errors, 1, Cast.Bob, default));
        Assert.Null(await Preview().LoadProposal(Errors with { Limit = 1 }, 0, Cast.Bob, default));
        await Assert.ThrowsAsync<DomainException>(() => Preview().Load(new(AlertRuleKind.Outage, new([])), Cast.Alice, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => Preview().Load(Errors, Cast.Bob, default));
    }
}
