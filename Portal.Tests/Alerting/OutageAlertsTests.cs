using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.Alerting;
using Portal.Features.Metrics;
using Portal.Features.Monitoring;
using Portal.Hosting;
using Portal.Tests.Monitoring;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Alerting;

/// <summary>What alerting hears of outages that the real engine finds.</summary>
public sealed class OutageAlertsTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    const string Root = "https://database.example/", Leaf = "https://shop.example/";

    public Task InitializeAsync() => Heard.Clear(database);

    public Task DisposeAsync() => Task.CompletedTask;

    async Task<AlertRule> Rule(Service service, Severity severity, params MonitorId[] monitors)
    {
        await using var db = database.Open();
        var rule = new AlertRule("Down", service.Id, severity, new(AlertRuleKind.Outage, new(monitors)), [], pages: true, null, TimeProvider.System.GetUtcNow());
        db.Add(rule);
        await db.SaveChangesAsync();
        return rule;
    }

    /// <summary>Takes in what was said, and catches up with what is owed.</summary>
    async Task Turn(EngineRig rig)
    {
        await new RuleWatch(database.Contexts, new RuleFigures(new Measurements(database.Contexts)), new StartupState(), rig.Clock, NullLogger<RuleWatch>.Instance).Turn(default);
        await Heard.TakeIn(database, rig.Clock.GetUtcNow());
    }

    async Task<List<Alert>> Alerts()
    {
        await using var db = database.Open();
        return await db.Alerts.AsNoTracking().OrderBy(a => a.TriggeredAt).ToListAsync();
    }

    Task Alerted(EngineRig rig, MonitorId monitor, bool open = true, string what = "the alert") => rig.Until(async () =>
    {
        await Turn(rig);
        return (await Alerts()).Exists(a => a.MonitorId == monitor && a.IsOpen) == open;
    }, what);

    async Task<Outage?> Open(MonitorId id)
    {
        await using var db = database.Open();
        return await db.Outages.AsNoTracking().SingleOrDefaultAsync(o => o.MonitorId == id && o.To == null);
    }

    async Task Seen(EngineRig rig, params Monitor[] monitors)
    {
        await rig.Until(async () =>
        {
            await using var db = database.Open();
            foreach (var monitor in monitors)
                if (await db.Checks.CountAsync(c => c.MonitorId == monitor.Id) < 2) return false;
            return true;
        }, "good results");
    }

    [Fact]
    public async Task An_outage_is_an_alert_of_the_service_whose_rule_names_the_monitor_and_ends_with_it()
    {
        var (own, rest) = (await Heard.Service(database, "Own"), await Heard.Service(database, "Rest"));
        Component component;
        await using (var db = database.Open())
        {
            db.Add(component = new Component("Checkout", "checkout", null, null, 0, TimeProvider.System.GetUtcNow()));
            await db.SaveChangesAsync();
        }
        var (named, other) = (await EngineRig.Add(database, Leaf, component: component.Id), await EngineRig.Add(database, Root));
        var rule = await Rule(own, Severity.P0, named.Id);
        await Rule(rest, Severity.P2);
        await using var rig = await new EngineRig(database).Start();
        await Seen(rig, named, other);
        Assert.Empty(await Heard.All(database));

        rig.Probe.Failing[Leaf] = rig.Probe.Failing[Root] = true;
        await Alerted(rig, named.Id);
        await Alerted(rig, other.Id);
        var alerts = (await Alerts()).ToDictionary(a => a.MonitorId!.Value);
        Assert.Equal((own.Id, Severity.P0, rule.Id, "Shop is down: Answered 500.", $"monitor:{named.Id}"), (alerts[named.Id].ServiceId, alerts[named.Id].Severity, alerts[named.Id].RuleId!.Value, alerts[named.Id].Summary, alerts[named.Id].Key));
        Assert.Equal([new("monitor", "Shop"), new("kind", "http"), new("component", "checkout")], alerts[named.Id].Labels);
        // MTTD is from the first bad check to the alert.
        Assert.Equal((await Open(named.Id))!.From, alerts[named.Id].BeganAt);
        Assert.Equal((rest.Id, Severity.P2), (alerts[other.Id].ServiceId, alerts[other.Id].Severity));

        rig.Probe.Failing[Leaf] = false;
        await Alerted(rig, named.Id, open: false, "its end");
        Assert.True((await Alerts()).Exists(a => a.MonitorId == other.Id && a.IsOpen));
    }

    [Fact]
    public async Task What_comes_of_another_outage_raises_nothing_until_that_one_is_over_and_it_is_still_down()
    {
        var service = await Heard.Service(database);
        await Rule(service, Severity.P1);
        var root = await EngineRig.Add(database, Root);
        var leaf = await EngineRig.Add(database, Leaf, needs: root.Id);
        await using var rig = await new EngineRig(database).Start();
        await Seen(rig, root, leaf);
        rig.Probe.Failing[Root] = rig.Probe.Failing[Leaf] = true;
        await Alerted(rig, root.Id);
        await rig.Until(async () => (await Open(leaf.Id))?.CausedBy is not null, "the effect");
        await Alerted(rig, leaf.Id, open: false, "one alert for one cause");
        await Turn(rig);
        Assert.Equal([root.Id], (await Alerts()).Where(a => a.IsOpen).Select(a => a.MonitorId!.Value));

        rig.Probe.Failing[Root] = false;
        await Alerted(rig, root.Id, open: false, "the end of the cause");
        await Alerted(rig, leaf.Id, what: "an alert of what is down by itself now");
        rig.Probe.Failing[Leaf] = false;
        await Alerted(rig, leaf.Id, open: false, "its end");
    }

    [Fact]
    public async Task What_comes_back_with_its_cause_never_becomes_an_alert()
    {
        await Rule(await Heard.Service(database), Severity.P1);
        var root = await EngineRig.Add(database, Root);
        var leaf = await EngineRig.Add(database, Leaf, interval: 30, needs: root.Id);
        await using var rig = await new EngineRig(database).Start();
        await Seen(rig, root, leaf);
        rig.Probe.Failing[Root] = rig.Probe.Failing[Leaf] = true;
        await Alerted(rig, root.Id);
        await rig.Until(async () => (await Open(leaf.Id))?.CausedBy is not null, "the effect");
        rig.Probe.Failing[Root] = rig.Probe.Failing[Leaf] = false;
        await Alerted(rig, root.Id, open: false, "the end of the cause");
        await rig.Until(async () =>
        {
            await Turn(rig);
            return await Open(leaf.Id) is null;
        }, "the end of the effect");
        Assert.DoesNotContain(await Alerts(), a => a.MonitorId == leaf.Id);
    }

    [Fact]
    public async Task Announced_work_raises_nothing_and_what_is_still_down_after_it_does()
    {
        await Rule(await Heard.Service(database), Severity.P1);
        await using var rig = new EngineRig(database);
        Component component;
        MaintenanceWindow window;
        await using (var db = database.Open())
        {
            var now = rig.Clock.GetUtcNow();
            db.Add(component = new Component("Checkout", "checkout", null, null, 0, now));
            db.Add(window = new MaintenanceWindow(new("Work", "Some requests fail.", now, now.AddMinutes(10), "UTC", TimeSpan.Zero, [component.Id]), Cast.Bob, now));
            await db.SaveChangesAsync();
        }
        var monitor = await EngineRig.Add(database, Leaf, component: component.Id);
        rig.Probe.Failing[Leaf] = true;
        await rig.Start();
        await rig.Until(async () => await Open(monitor.Id) is not null, "the outage");
        await Turn(rig);
        Assert.Empty(await Alerts());
        await rig.Until(() => Task.FromResult(rig.Clock.GetUtcNow() > window.EndsAt), "the end of the work", 5);
        await Alerted(rig, monitor.Id, what: "an alert after the work");
    }

    [Fact]
    public async Task A_monitor_that_is_paused_or_deleted_takes_its_alert_along()
    {
        await Rule(await Heard.Service(database), Severity.P1);
        var (paused, deleted) = (await EngineRig.Add(database, Leaf), await EngineRig.Add(database, Root));
        await using var rig = await new EngineRig(database).Start();
        await Seen(rig, paused, deleted);
        rig.Probe.Failing[Leaf] = rig.Probe.Failing[Root] = true;
        await Alerted(rig, paused.Id);
        await Alerted(rig, deleted.Id);
        await rig.Change(database).Execute(new(paused.Id, Paused: true), Cast.Bob, default);
        await Alerted(rig, paused.Id, open: false, "the end by a pause");
        await new DeleteMonitor(database.Contexts, rig.Clock).Execute(deleted.Id, Cast.Bob, default);
        await Alerted(rig, deleted.Id, open: false, "the end by deletion");
    }

    [Fact]
    public async Task What_somebody_resolved_by_hand_is_not_raised_again_by_the_same_outage()
    {
        await Rule(await Heard.Service(database), Severity.P1);
        var monitor = await EngineRig.Add(database, Leaf);
        await using var rig = await new EngineRig(database).Start();
        await Seen(rig, monitor);
        rig.Probe.Failing[Leaf] = true;
        await Alerted(rig, monitor.Id);
        await using (var db = database.Open())
        {
            (await db.Alerts.SingleAsync()).Resolve("Bob", rig.Clock.GetUtcNow());
            await db.SaveChangesAsync();
        }
        await rig.Witness(database);
        await Turn(rig);
        Assert.Single(await Alerts());
        // Told again when it happens again.
        rig.Probe.Failing[Leaf] = false;
        await rig.Until(async () => await Open(monitor.Id) is null, "its end");
        rig.Probe.Failing[Leaf] = true;
        await Alerted(rig, monitor.Id);
        Assert.Equal(2, (await Alerts()).Count);
    }
}
