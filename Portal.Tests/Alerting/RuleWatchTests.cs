using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Features.Metrics;
using Portal.Hosting;
using Portal.Infrastructure.Metrics;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

/// <summary>Rules over points as the portal stores them, on the real database and a clock that the test moves.</summary>
public sealed class RuleWatchTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly FakeClock clock = new(new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcTicks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero));
    double good = 20, bad, errors, milliseconds = 80;
    Service service = null!;

    public async Task InitializeAsync()
    {
        await Heard.Clear(database);
        service = await Heard.Service(database);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    RuleWatch Watch() => new(database.Contexts, new RuleFigures(new Measurements(database.Contexts)), new StartupState(), clock, NullLogger<RuleWatch>.Instance);

    async Task<AlertRule> Rule(RuleCondition condition, string name = "Error rate")
    {
        await using var db = database.Open();
        var rule = new AlertRule(name, service.Id, Severity.P1, condition, [], pages: true, null, clock.GetUtcNow());
        db.Add(rule);
        await db.SaveChangesAsync();
        return rule;
    }

    static RuleCondition Above(string figure, double limit, int minutes) => new(AlertRuleKind.Threshold, new([]), figure, RuleComparison.Above, limit, minutes);

    /// <summary>Every ten seconds a point of each series, and a look at the rules; what they say is taken in at once.</summary>
    async Task Pass(RuleWatch watch, TimeSpan time, bool measure = true, Func<Task<bool>>? until = null)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += RuleWatch.Every)
        {
            if (measure) await Measure();
            clock.FastForward(RuleWatch.Every);
            await watch.Turn(default);
            await Heard.TakeIn(database, clock.GetUtcNow());
            if (until is not null && await until()) return;
        }
    }

    Task Measure(string node = "here")
    {
        MetricSeries Of(string name, MetricKind kind, string? status = null) => new(name, kind, "", status is null ? new Dictionary<string, string> { ["node"] = node } : new Dictionary<string, string> { ["node"] = node, ["status"] = status });
        var (at, times) = (clock.GetUtcNow(), new Histogram());
        for (var i = 0; i < 10; i++) times.Add(milliseconds);
        return new PointStore(database.Database, clock).Store(
        [
            new(Of(MetricNames.Requests, MetricKind.Counter, "2xx"), at, good), new(Of(MetricNames.Requests, MetricKind.Counter, "5xx"), at, bad), new(Of(MetricNames.Requests, MetricKind.Counter, "1xx"), at, 500),
            new(Of(MetricNames.QueryErrors, MetricKind.Counter), at, errors), new(Of(MetricNames.RequestTime, MetricKind.Distribution), at, milliseconds * 10, times),
        ], default);
    }

    async Task<List<Alert>> Alerts()
    {
        await using var db = database.Open();
        return await db.Alerts.AsNoTracking().OrderBy(a => a.TriggeredAt).ThenBy(a => a.Id).ToListAsync();
    }

    async Task<bool> IsOpen() => (await Alerts()).Exists(a => a.IsOpen);

    [Theory]
    [InlineData("error-rate", 5, 5)]
    [InlineData("response-time", 500, 10)]
    [InlineData("database-errors", 10, 5)]
    public async Task Each_default_rule_tells_within_five_minutes_and_is_over_when_its_window_is_well_again(string figure, double limit, int minutes)
    {
        var rule = await Rule(Above(figure, limit, minutes), "The rule");
        var watch = Watch();
        await Pass(watch, TimeSpan.FromMinutes(minutes + 1));
        Assert.Empty(await Alerts());
        (bad, errors, milliseconds) = (20, 3, 4_000);
        var began = clock.GetUtcNow();
        await Pass(watch, TimeSpan.FromMinutes(5), until: IsOpen);
        var alert = Assert.Single(await Alerts());
        Assert.InRange(alert.TriggeredAt - began, TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(2));
        Assert.Equal((rule.Id, Severity.P1, service.Id), (alert.RuleId!.Value, alert.Severity, alert.ServiceId));
        Assert.StartsWith("The rule: ", alert.Summary);
        Assert.Contains(new AlertLabel("figure", figure), alert.Labels);
        await Pass(watch, TimeSpan.FromMinutes(2));
        Assert.Equal(1, Assert.Single(await Alerts()).Count);
        (bad, errors, milliseconds) = (0, 0, 80);
        await Pass(watch, TimeSpan.FromMinutes(minutes + 1), until: async () => !await IsOpen());
        Assert.Equal(AlertState.Resolved, Assert.Single(await Alerts()).State);
    }

    [Fact]
    public async Task Two_nodes_and_one_that_starts_anew_tell_once()
    {
        await Rule(Above("error-rate", 5, 5));
        await Pass(Watch(), TimeSpan.FromMinutes(2));
        bad = 20;
        for (var i = 0; i < 6; i++) { await Measure(); clock.FastForward(RuleWatch.Every); }
        var nodes = new[] { Watch(), Watch(), Watch() };
        await Task.WhenAll(nodes.Select(n => n.Turn(default)));
        foreach (var node in nodes) await node.Turn(default);
        // Not an alert yet: what waits for the intake counts as well.
        Assert.Equal(SignalAction.Trigger, Assert.Single(await Heard.All(database)).Signal.Action);
        await Heard.TakeIn(database, clock.GetUtcNow());
        await Pass(Watch(), TimeSpan.FromSeconds(30));
        Assert.Single(await Alerts());
    }

    [Fact]
    public async Task What_is_not_known_any_more_is_not_well()
    {
        await Rule(Above("error-rate", 5, 5));
        var watch = Watch();
        await Pass(watch, TimeSpan.FromMinutes(1));
        bad = 20;
        await Pass(watch, TimeSpan.FromMinutes(2), until: IsOpen);
        await Pass(watch, TimeSpan.FromMinutes(10), measure: false);
        Assert.True(await IsOpen());
        bad = 0;
        await Pass(watch, TimeSpan.FromMinutes(2), until: async () => !await IsOpen());
        Assert.False(await IsOpen());
    }

    [Fact]
    public async Task A_few_requests_have_no_error_rate()
    {
        await Rule(Above("error-rate", 5, 5));
        var watch = Watch();
        (good, bad) = (0, 0.2);
        await Pass(watch, TimeSpan.FromMinutes(6));
        Assert.Empty(await Alerts());
        bad = 5;
        await Pass(watch, TimeSpan.FromMinutes(6), until: IsOpen);
        Assert.Equal("Error rate is 100 %, above 5 % over 5 min", Assert.Single(await Alerts()).Summary);
    }

    [Fact]
    public async Task Missing_data_is_told_of_after_its_window_and_not_for_the_time_in_which_the_portal_was_away()
    {
        await Rule(new(AlertRuleKind.MissingData, new([]), "requests", WindowMinutes: 5), "Silence");
        await Measure();
        clock.FastForward(TimeSpan.FromHours(1));
        var watch = Watch();
        await Pass(watch, TimeSpan.FromMinutes(4), measure: false);
        Assert.Empty(await Alerts());
        await Pass(watch, TimeSpan.FromMinutes(2), measure: false, until: IsOpen);
        Assert.Equal("Silence: nothing was heard of \"Requests\" for 5 min", Assert.Single(await Alerts()).Summary);
        await Pass(watch, TimeSpan.FromSeconds(30));
        Assert.False(await IsOpen());
    }

    [Fact]
    public async Task A_budget_that_burns_is_told_of_over_both_windows()
    {
        await Rule(new(AlertRuleKind.BurnRate, new([]), "error-rate", Limit: 14.4, WindowMinutes: 60, ShortMinutes: 5, Objective: 0.999), "Budget");
        var watch = Watch();
        await Pass(watch, TimeSpan.FromMinutes(3));
        bad = 0.2;
        await Pass(watch, TimeSpan.FromMinutes(5));
        Assert.Empty(await Alerts());
        bad = 4;
        await Pass(watch, TimeSpan.FromMinutes(6), until: IsOpen);
        Assert.Contains("the budget of 99.9 % is used up", Assert.Single(await Alerts()).Summary);
        bad = 0;
        await Pass(watch, TimeSpan.FromMinutes(6), until: async () => !await IsOpen());
        Assert.False(await IsOpen());
    }

    [Fact]
    public async Task A_rule_that_is_paused_moved_or_deleted_takes_its_alert_along()
    {
        var (rule, other) = (await Rule(Above("error-rate", 5, 5)), await Heard.Service(database, "Other"));
        var watch = Watch();
        await Pass(watch, TimeSpan.FromMinutes(1));
        bad = 20;
        await Pass(watch, TimeSpan.FromMinutes(2), until: IsOpen);
        var change = new ChangeAlertRule(database.Contexts, clock);
        await change.Execute(new(rule.Id, Paused: true), Cast.Alice, default);
        await Pass(watch, TimeSpan.FromSeconds(30));
        Assert.False(await IsOpen());
        await change.Execute(new(rule.Id, Paused: false), Cast.Alice, default);
        await Pass(watch, TimeSpan.FromSeconds(30), until: IsOpen);
        await change.Execute(new(rule.Id, new(rule.Name, other.Id, Severity.P0, rule.Condition, [], true, null)), Cast.Alice, default);
        await Pass(watch, TimeSpan.FromSeconds(30));
        Assert.Equal([other.Id], (await Alerts()).Where(a => a.IsOpen).Select(a => a.ServiceId));
        await new DeleteAlertRule(database.Contexts, clock).Execute(rule.Id, Cast.Alice, default);
        await Pass(watch, TimeSpan.FromSeconds(30));
        Assert.False(await IsOpen());
        await Assert.ThrowsAsync<ForbiddenException>(() => change.Execute(new(rule.Id, Paused: true), Cast.Bob, default));
    }
}
