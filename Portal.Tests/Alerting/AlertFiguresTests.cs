using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

public sealed class AlertFiguresTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly DateTimeOffset Now = new(2026, 3, 20, 12, 0, 0, TimeSpan.Zero);
    Service service = null!;
    int keys;

    public async Task InitializeAsync()
    {
        await Heard.Clear(database);
        service = await Heard.Service(database);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    AlertFigures Figures() => new(database.Contexts, Configured.With(("Public:TimeZone", "Europe/Berlin")), new FakeClock(Now));

    /// <param name="found">Seconds from the fault to the alert, <paramref name="answered"/> from the alert to a person, <paramref name="over"/> from the fault to the end.</param>
    async Task Past(DateTimeOffset at, double found = 0, double? answered = null, double? over = null, bool test = false, AlertRule? rule = null, Severity severity = Severity.P1, Actor? by = null)
    {
        await using var db = database.Open();
        var began = at.AddSeconds(-found);
        var alert = new Alert(service.Id, new AlertSignal(SignalAction.Trigger, $"key-{keys++}", severity, "It", "x", new([]), At: began, IsTest: test, Rule: rule?.Id), at);
        if (answered is { } a) alert.Acknowledge(by ?? Cast.Bob, at.AddSeconds(a));
        if (over is { } o) alert.Resolve(null, began.AddSeconds(o));
        db.Add(alert);
        await db.SaveChangesAsync();
    }

    [Fact]
    public async Task Times_are_medians_and_nine_of_ten_of_a_month_without_tests_and_by_the_first_human()
    {
        for (var i = 1; i <= 11; i++) await Past(Now.AddHours(-i), found: i * 10, answered: i * 60, over: i * 600);
        await Past(Now.AddHours(-1), found: 9_000, answered: 9_000, over: 9_000, test: true);
        // A program acknowledged it: that is no answer of a person.
        await Past(Now.AddHours(-1), found: 60, answered: 1, over: 3_600, by: new Actor(ActorKind.ApiKey, Guid.NewGuid(), "Robot", Cast.Bob.Grants));
        // The last minutes of February in Berlin are March's first in nobody's zone.
        await Past(new(2026, 2, 28, 22, 59, 0, TimeSpan.Zero), found: 5);
        await Past(new(2026, 2, 28, 23, 1, 0, TimeSpan.Zero), found: 60, over: 3_600, severity: Severity.P3);

        var rows = await Figures().Load(2, Cast.Bob, default);
        Assert.Equal([("2026-03", Severity.P1, 12, 11, 12), ("2026-03", Severity.P3, 1, 0, 1), ("2026-02", Severity.P1, 1, 0, 0)], rows.Select(r => (r.Month, r.Severity, r.Alerts, r.Answered, r.Over)));
        Assert.Equal((60, 99), (rows[0].Detected.Median, Math.Round(rows[0].Detected.P90!.Value)));
        Assert.Equal((360, 600), (rows[0].Acknowledged.Median, rows[0].Acknowledged.P90));
        Assert.Equal((3_600, 5_940), (rows[0].Resolved.Median, Math.Round(rows[0].Resolved.P90!.Value)));
        Assert.Equal(new AlertFigures.Spread(null, null), rows[2].Resolved);
        Assert.DoesNotContain(await Figures().Load(1, Cast.Bob, default), r => r.Month == "2026-02");
        await Assert.ThrowsAsync<ForbiddenException>(() => Figures().Load(1, Cast.Charlie, default));
    }

    [Fact]
    public async Task Noise_is_told_by_rule_with_what_nobody_had_to_do_anything_about_and_the_night()
    {
        AlertRule rule;
        await using (var db = database.Open())
        {
            db.Add(rule = new AlertRule("Slow", service.Id, Severity.P2, new(AlertRuleKind.Threshold, new([]), "response-time", Limit: 500), [], pages: true, null, Now));
            await db.SaveChangesAsync();
        }
        // 21:59 and 22:00 in Berlin, 06:59 and 07:00.
        foreach (var (day, hour, minute) in new[] { (10, 20, 59), (10, 21, 0), (11, 5, 59), (11, 6, 0) }) await Past(new(2026, 3, day, hour, minute, 0, TimeSpan.Zero), over: 60, rule: rule);
        await Past(new(2026, 3, 12, 12, 0, 0, TimeSpan.Zero), answered: 60, over: 600, rule: rule);
        await Past(new(2026, 3, 12, 13, 0, 0, TimeSpan.Zero));
        var noise = await Figures().LoadNoise(1, Cast.Bob, default);
        Assert.Equal([new("2026-03", rule.Id, "Slow", 5, 1, 4, 2), new("2026-03", null, "Other systems and people", 1, 0, 0, 0)], noise);
        Assert.Empty(await Figures().LoadPeople(1, Cast.Bob, default));
    }
}
