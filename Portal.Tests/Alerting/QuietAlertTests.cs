using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.StatusPages;
using Portal.Features.Alerting;
using Portal.Infrastructure.Persistence.Alerting;
using Portal.Tests.Support;
using static Portal.Tests.Alerting.AlertingRig;

namespace Portal.Tests.Alerting;

public class QuietAlertTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly AlertingRig rig = new(database);

    Task<SilenceId> Silence(Service service, TimeSpan length, params AlertLabel[] labels) =>
        new MakeSilence(database.Contexts, rig.Clock).Execute(new([new("service", service.Slug), .. labels], null, rig.Now + length, "Known"), Cast.Bob, CancellationToken.None);

    /// <summary>Until nothing is left that changes, also of other tests.</summary>
    async Task Sweep()
    {
        while (await rig.Intake.Sweep(CancellationToken.None) is > 0) { }
    }

    [Fact]
    public async Task What_is_silenced_is_listed_and_pages_when_the_silence_ends()
    {
        var service = await rig.Service();
        await Silence(service, TimeSpan.FromHours(1), new AlertLabel("env", "test"));
        await rig.TakeIn(service, Signal("a", labels: new AlertLabel("env", "test")), Signal("b", labels: new AlertLabel("env", "live")));
        var (a, b) = (await rig.Alert(service, "a"), await rig.Alert(service, "b"));
        Assert.Equal((AlertQuiet.Silenced, AlertQuiet.No), (a.Quiet, b.Quiet));
        Assert.Null(await rig.EscalationOf(a));
        rig.Clock.FastForward(TimeSpan.FromMinutes(59));
        await Sweep();
        Assert.Equal(AlertQuiet.Silenced, (await rig.Alert(service, "a")).Quiet);
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        await Sweep();
        Assert.Equal((AlertQuiet.No, null), ((await rig.Alert(service, "a")).Quiet, (await rig.Alert(service, "a")).QuietBecause));
        Assert.Equal((DateTimeOffset?)rig.Now, (await rig.EscalationOf(a))!.NextAt);
        Assert.Equal([AlertEventKind.Triggered, AlertEventKind.Hushed, AlertEventKind.Spoke], (await rig.Events(a)).Select(e => e.Kind));
    }

    [Fact]
    public async Task A_silence_that_is_ended_early_lets_what_it_held_back_page_together()
    {
        var service = await rig.Service(groupFor: 5);
        var silence = await Silence(service, TimeSpan.FromHours(1));
        await rig.TakeIn(service, Signal("a", severity: Severity.P2), Signal("b", severity: Severity.P1), Signal("c", severity: Severity.P1));
        rig.Clock.FastForward(TimeSpan.FromMinutes(30));
        await new EndSilence(database.Contexts, rig.Clock).Execute(silence, Cast.Bob, CancellationToken.None);
        await Sweep();
        var head = Assert.Single(await rig.Alerts(service), a => a.Quiet == AlertQuiet.No);
        Assert.Equal((Severity.P1, 2), (head.Severity, head.GroupCount));
    }

    [Fact]
    public async Task A_silence_stops_what_has_told_nobody_and_holds_what_has_until_it_ends()
    {
        var service = await rig.Service();
        await rig.TakeIn(service, Signal("new"), Signal("told"));
        var (fresh, told) = (await rig.Alert(service, "new"), await rig.Alert(service, "told"));
        await using (var db = database.Open())
        {
            var escalation = await db.Escalations.SingleAsync(e => e.AlertId == told.Id);
            escalation.Fire((await db.EscalationPolicies.SingleAsync(p => p.Id == escalation.PolicyId)).Current, rig.Now);
            await db.SaveChangesAsync();
        }
        var silence = await Silence(service, TimeSpan.FromHours(1));
        await Sweep();
        Assert.Null(await rig.EscalationOf(fresh));
        Assert.Equal(AlertQuiet.Silenced, (await rig.Alert(service, "new")).Quiet);
        var held = await rig.Alert(service, "told");
        Assert.Equal((AlertState.Acknowledged, "Silence by Bob", (DateTimeOffset?)rig.Now.AddHours(1), null), (held.State, held.AcknowledgedBy, held.SnoozedUntil, held.FirstHumanAt));
        Assert.Equal((DateTimeOffset?)rig.Now.AddHours(1), (await rig.EscalationOf(told))!.NextAt);
        rig.Clock.FastForward(TimeSpan.FromMinutes(5));
        await new EndSilence(database.Contexts, rig.Clock).Execute(silence, Cast.Bob, CancellationToken.None);
        await Sweep();
        Assert.Equal(AlertState.Triggered, (await rig.Alert(service, "told")).State);
        Assert.Equal((EscalationState.Running, (DateTimeOffset?)rig.Now), ((await rig.EscalationOf(told))!.State, (await rig.EscalationOf(told))!.NextAt));
        Assert.NotNull(await rig.EscalationOf(fresh));
    }

    [Fact]
    public async Task What_somebody_took_while_it_was_silenced_is_theirs_when_it_would_page()
    {
        var service = await rig.Service(acknowledgedFor: 60);
        await Silence(service, TimeSpan.FromMinutes(10));
        await rig.TakeIn(service, Signal("a"));
        var alert = await rig.Alert(service, "a");
        await rig.Acknowledge.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        rig.Clock.FastForward(TimeSpan.FromMinutes(10));
        await Sweep();
        var escalation = (await rig.EscalationOf(alert))!;
        Assert.Equal((EscalationState.Acknowledged, "Bob"), (escalation.State, escalation.AcknowledgedBy));
    }

    [Fact]
    public async Task Under_announced_maintenance_of_its_component_it_is_quiet_and_pages_when_that_is_over()
    {
        Component component = new($"Component {Guid.NewGuid():N}"[..30], null, null, null, 1, rig.Now), other = new($"Component {Guid.NewGuid():N}"[..30], null, null, null, 1, rig.Now);
        await using (var db = database.Open())
        {
            db.AddRange(component, other);
            db.MaintenanceWindows.Add(new MaintenanceWindow(new("Work", "We work.", rig.Now, rig.Now.AddHours(1), "UTC", TimeSpan.Zero, [component.Id]), Cast.Bob, rig.Now));
            await db.SaveChangesAsync();
        }
        var (service, elsewhere) = (await rig.Service(change: s => s.Change(s.Settings with { Components = [component.Id] })), await rig.Service(change: s => s.Change(s.Settings with { Components = [other.Id] })));
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        await rig.TakeIn(service, Signal("a"));
        await rig.TakeIn(elsewhere, Signal("a"));
        Assert.Equal((AlertQuiet.Maintenance, AlertQuiet.No), ((await rig.Alert(service, "a")).Quiet, (await rig.Alert(elsewhere, "a")).Quiet));
        rig.Clock.FastForward(TimeSpan.FromHours(1));
        await Sweep();
        Assert.NotNull(await rig.EscalationOf(await rig.Alert(service, "a")));
    }

    [Fact]
    public async Task A_rule_that_pages_nobody_tells_its_places_when_it_fires_and_when_it_is_over()
    {
        var service = await rig.Service();
        var channel = new Channel($"Ops {Guid.NewGuid():N}"[..20], ChannelKind.Slack, new(), new Dictionary<string, string>(), null, rig.Now);
        var group = new ContactGroup($"Group {Guid.NewGuid():N}"[..20], [new(null, "dev@example.com"), new(channel.Id, null)], rig.Now);
        var rule = new AlertRule("Errors", service.Id, Severity.P2, new(AlertRuleKind.Threshold, new([]), "http.errors"), [EscalationTarget.Of(channel.Id), EscalationTarget.Of(group.Id)], pages: false, "https://wiki.example.com/errors", rig.Now);
        await using (var db = database.Open())
        {
            db.AddRange(channel, group);
            db.Add(rule);
            await db.SaveChangesAsync();
        }
        await rig.TakeIn(service, Signal("a") with { Rule = rule.Id }, Signal("a") with { Rule = rule.Id });
        var alert = await rig.Alert(service, "a");
        Assert.Null(await rig.EscalationOf(alert));
        Assert.Equal(AlertQuiet.Unrouted, alert.Quiet);
        var began = await Deliveries(alert);
        Assert.Equal(new[] { "dev@example.com", channel.Name }.Order(), began.Select(d => d.Address).Order());
        Assert.All(began, d => Assert.Contains("https://wiki.example.com/errors", d.Body));
        await rig.TakeIn(service, Signal("a", SignalAction.Resolve) with { Rule = rule.Id });
        var all = await Deliveries(alert);
        Assert.Equal(4, all.Count);
        Assert.Equal(2, all.Count(d => d is { Purpose: DeliveryPurpose.Follow, State: DeliveryState.Waiting } && d.Title.StartsWith("It is over: ", StringComparison.Ordinal)));
        Assert.Equal(2, all.Count(d => d is { Purpose: DeliveryPurpose.Page, State: DeliveryState.Waiting }));
    }

    async Task<List<Delivery>> Deliveries(Alert alert)
    {
        await using var db = database.Open();
        return await db.Deliveries.AsNoTracking().Where(d => d.AlertId == alert.Id).ToListAsync();
    }
}
