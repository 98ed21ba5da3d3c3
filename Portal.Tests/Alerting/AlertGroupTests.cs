using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Tests.Support;
using static Portal.Tests.Alerting.AlertingRig;

namespace Portal.Tests.Alerting;

public class AlertGroupTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly AlertingRig rig = new(database);

    [Fact]
    public async Task Another_alert_within_the_window_joins_the_first_and_one_after_it_pages_by_itself()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a"));
        rig.Clock.FastForward(TimeSpan.FromMinutes(4));
        await rig.TakeIn(service, Signal("b"));
        var (a, b) = (await rig.Alert(service, "a"), await rig.Alert(service, "b"));
        Assert.Equal((a.Id, AlertQuiet.Grouped), (b.GroupId, b.Quiet));
        Assert.Null(await rig.EscalationOf(b));
        Assert.Equal(1, a.GroupCount);
        rig.Clock.FastForward(TimeSpan.FromMinutes(5));
        await rig.TakeIn(service, Signal("c"));
        Assert.NotNull(await rig.EscalationOf(await rig.Alert(service, "c")));
    }

    [Fact]
    public async Task A_worse_alert_does_not_join_and_one_that_becomes_worse_leaves()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a", severity: Severity.P2), Signal("b", severity: Severity.P1), Signal("c", severity: Severity.P2));
        Assert.Null((await rig.Alert(service, "b")).GroupId);
        var c = await rig.Alert(service, "c");
        Assert.Equal((await rig.Alert(service, "a")).Id, c.GroupId);
        await rig.TakeIn(service, Signal("c", severity: Severity.P0));
        Assert.Null((await rig.Alert(service, "c")).GroupId);
        Assert.NotNull(await rig.EscalationOf(c));
        Assert.Equal(0, (await rig.Alert(service, "a")).GroupCount);
    }

    [Fact]
    public async Task When_the_first_is_over_the_oldest_of_the_others_takes_its_place_and_pages_from_the_first_step()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a"));
        rig.Clock.FastForward(TimeSpan.FromSeconds(1));
        await rig.TakeIn(service, Signal("b"));
        rig.Clock.FastForward(TimeSpan.FromSeconds(1));
        await rig.TakeIn(service, Signal("c"), Signal("a", SignalAction.Resolve));
        var (b, c) = (await rig.Alert(service, "b"), await rig.Alert(service, "c"));
        Assert.Equal((null, AlertQuiet.No, 1), (b.GroupId, b.Quiet, b.GroupCount));
        Assert.Equal(b.Id, c.GroupId);
        var escalation = (await rig.EscalationOf(b))!;
        Assert.Equal((EscalationState.Running, 0, (DateTimeOffset?)rig.Now), (escalation.State, escalation.Position, escalation.NextAt));
    }

    [Fact]
    public async Task Whoever_had_the_first_has_the_one_that_takes_its_place()
    {
        var service = await rig.Service(groupFor: 5, acknowledgedFor: 60);
        await rig.TakeIn(service, Signal("a"));
        await rig.Acknowledge.Execute([(await rig.Alert(service, "a")).Id], Cast.Bob, CancellationToken.None);
        await rig.TakeIn(service, Signal("b"));
        Assert.Equal((await rig.Alert(service, "a")).Id, (await rig.Alert(service, "b")).GroupId);
        await rig.TakeIn(service, Signal("a", SignalAction.Resolve));
        var b = await rig.Alert(service, "b");
        Assert.Equal((AlertState.Acknowledged, "Bob", null), (b.State, b.AcknowledgedBy, b.FirstHumanAt));
        var escalation = (await rig.EscalationOf(b))!;
        Assert.Equal((EscalationState.Acknowledged, (DateTimeOffset?)rig.Now.AddHours(1)), (escalation.State, escalation.NextAt));
    }

    [Fact]
    public async Task A_group_that_ends_together_pages_nobody_again()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a"), Signal("b"), Signal("c"));
        await rig.TakeIn(service, Signal("a", SignalAction.Resolve), Signal("b", SignalAction.Resolve), Signal("c", SignalAction.Resolve));
        Assert.All(await rig.Alerts(service), a => Assert.False(a.IsOpen));
        Assert.Null(await rig.EscalationOf(await rig.Alert(service, "b")));
        Assert.Null(await rig.EscalationOf(await rig.Alert(service, "c")));
    }

    [Fact]
    public async Task Acknowledging_and_resolving_the_first_does_so_with_the_whole_group()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a"), Signal("b"), Signal("c"));
        var head = (await rig.Alerts(service)).Single(a => a.GroupCount == 2);
        await rig.Acknowledge.Execute([head.Id], Cast.Bob, CancellationToken.None);
        Assert.All(await rig.Alerts(service), a => Assert.Equal((AlertState.Acknowledged, "Bob"), (a.State, a.AcknowledgedBy)));
        await rig.Resolve.Execute([head.Id], Cast.Bob, CancellationToken.None);
        Assert.All(await rig.Alerts(service), a => Assert.Equal((AlertState.Resolved, "Bob"), (a.State, a.ResolvedBy)));
        Assert.Equal(0, await rig.Intake.Sweep(CancellationToken.None));
    }

    [Fact]
    public async Task An_alert_whose_first_is_gone_by_a_race_is_found_and_pages()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a"), Signal("b"));
        var b = (await rig.Alerts(service)).Single(a => a.GroupId is not null);
        await using (var db = database.Open())
        {
            var head = await db.Alerts.FindAsync(b.GroupId);
            head!.Resolve("Bob", rig.Now);
            await db.SaveChangesAsync();
        }
        Assert.Equal(1, await rig.Intake.Sweep(CancellationToken.None));
        Assert.NotNull(await rig.EscalationOf(b));
        Assert.Equal(AlertQuiet.No, (await rig.Alert(service, b.Key)).Quiet);
    }

    [Fact]
    public async Task A_test_never_joins_a_real_alert_nor_the_other_way_round()
    {
        var service = await rig.Service(groupFor: 5);
        await rig.TakeIn(service, Signal("a"), Signal("b") with { IsTest = true }, Signal("c") with { IsTest = true });
        Assert.Equal(2, (await rig.Alerts(service)).Count(a => a.Quiet == AlertQuiet.No));
        Assert.Equal((await rig.Alert(service, "b")).Id, (await rig.Alert(service, "c")).GroupId);
    }
}
