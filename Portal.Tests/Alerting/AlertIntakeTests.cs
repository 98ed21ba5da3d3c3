using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Tests.Support;
using static Portal.Tests.Alerting.AlertingRig;

namespace Portal.Tests.Alerting;

public class AlertIntakeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly AlertingRig rig = new(database);

    [Fact]
    public async Task A_trigger_becomes_an_alert_with_an_escalation_and_the_signal_is_gone()
    {
        var service = await rig.Service();
        await rig.TakeIn(service, Signal("disk", severity: Severity.P0));
        var alert = Assert.Single(await rig.Alerts(service));
        Assert.Equal((AlertState.Triggered, AlertQuiet.No, 1L, Severity.P0), (alert.State, alert.Quiet, alert.Count, alert.Severity));
        var escalation = Assert.IsType<Escalation>(await rig.EscalationOf(alert));
        Assert.Equal((service.PolicyP0!.Value, (DateTimeOffset?)rig.Now), (escalation.PolicyId, escalation.NextAt));
        Assert.Equal(AlertEventKind.Triggered, Assert.Single(await rig.Events(alert)).Kind);
        await using var db = database.Open();
        Assert.False(await db.HeardSignals.AnyAsync(s => s.ServiceId == service.Id));
    }

    [Fact]
    public async Task The_same_key_is_one_alert_while_it_is_open_and_a_new_one_after_its_end()
    {
        var service = await rig.Service();
        await rig.TakeIn(service, Signal("disk"), Signal("disk"), Signal("other"), Signal("disk"));
        Assert.Equal([3L, 1L], (await rig.Alerts(service)).OrderBy(a => a.Key).Select(a => a.Count));
        await rig.TakeIn(service, Signal("disk"), Signal("disk", SignalAction.Resolve), Signal("disk"));
        var disks = (await rig.Alerts(service)).Where(a => a.Key == "disk").ToList();
        Assert.Equal([(AlertState.Resolved, 4L), (AlertState.Triggered, 1L)], disks.OrderByDescending(a => a.Count).Select(a => (a.State, a.Count)));
        Assert.Equal(EscalationState.Resolved, (await rig.EscalationOf(disks.MaxBy(a => a.Count)!))!.State);
        Assert.Equal(EscalationState.Running, (await rig.EscalationOf(disks.MinBy(a => a.Count)!))!.State);
    }

    [Fact]
    public async Task A_resolve_without_an_open_alert_does_nothing_and_the_same_key_of_another_service_is_another_alert()
    {
        var (one, other) = (await rig.Service(), await rig.Service());
        await rig.TakeIn(one, Signal("disk", SignalAction.Resolve), Signal("disk", SignalAction.Acknowledge));
        Assert.Empty(await rig.Alerts(one));
        await rig.TakeIn(one, Signal("disk"));
        await rig.TakeIn(other, Signal("disk", SignalAction.Resolve));
        Assert.True(Assert.Single(await rig.Alerts(one)).IsOpen);
    }

    [Fact]
    public async Task A_trigger_that_comes_after_the_end_of_what_it_tells_of_is_late_and_a_later_one_is_not()
    {
        var service = await rig.Service();
        var began = rig.Now;
        rig.Clock.FastForward(TimeSpan.FromMinutes(10));
        await rig.TakeIn(service, Signal("disk", at: began), Signal("disk", SignalAction.Resolve, at: began.AddMinutes(5)));
        await rig.TakeIn(service, Signal("disk", at: began));
        Assert.Single(await rig.Alerts(service));
        // It fired again before we heard of the end of the one before.
        await rig.TakeIn(service, Signal("disk", at: began.AddMinutes(7)));
        Assert.Equal(2, (await rig.Alerts(service)).Count);
    }

    [Fact]
    public async Task What_somebody_resolved_by_hand_and_still_fires_is_a_new_alert()
    {
        var service = await rig.Service();
        var began = rig.Now.AddMinutes(-1);
        await rig.TakeIn(service, Signal("disk", at: began));
        await rig.Resolve.Execute([(await rig.Alert(service, "disk")).Id], Cast.Bob, CancellationToken.None);
        await rig.TakeIn(service, Signal("disk", at: began));
        Assert.Equal(2, (await rig.Alerts(service)).Count);
    }

    [Fact]
    public async Task What_becomes_worse_goes_by_the_policy_of_the_worse_and_begins_anew()
    {
        var (mild, bad) = (await rig.Policy("Mild"), await rig.Policy("Bad"));
        var service = await rig.Service(policies: new(bad.Id, bad.Id, mild.Id, null));
        await rig.TakeIn(service, Signal("disk", severity: Severity.P2));
        var alert = await rig.Alert(service, "disk");
        Assert.Equal(mild.Id, (await rig.EscalationOf(alert))!.PolicyId);
        await rig.Acknowledge.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        await rig.TakeIn(service, Signal("disk", severity: Severity.P2));
        Assert.Equal(AlertState.Acknowledged, (await rig.Alert(service, "disk")).State);
        await rig.TakeIn(service, Signal("disk", severity: Severity.P0));
        var worse = await rig.Alert(service, "disk");
        var escalation = (await rig.EscalationOf(alert))!;
        Assert.Equal((AlertState.Triggered, Severity.P0, 3L), (worse.State, worse.Severity, worse.Count));
        Assert.Equal((bad.Id, EscalationState.Running, (DateTimeOffset?)rig.Now), (escalation.PolicyId, escalation.State, escalation.NextAt));
        Assert.Equal([AlertEventKind.Triggered, AlertEventKind.Acknowledged, AlertEventKind.Worse, AlertEventKind.Reassigned], (await rig.Events(alert)).Select(e => e.Kind));
        await rig.TakeIn(service, Signal("disk", severity: Severity.P3));
        Assert.Equal(Severity.P0, (await rig.Alert(service, "disk")).Severity);
    }

    [Fact]
    public async Task What_waits_for_the_morning_does_not_wait_once_it_is_urgent()
    {
        // The clock begins on a Monday at 09:00 UTC.
        var policy = await rig.Policy("All");
        var hours = new SupportHours(new WeeklyTimes([new(new(DayOfWeek.Tuesday, new(8, 0)), new(DayOfWeek.Tuesday, new(17, 0)))]), "UTC");
        var service = await rig.Service(policies: new(policy.Id, policy.Id, policy.Id, policy.Id), hours: hours);
        await rig.TakeIn(service, Signal("disk", severity: Severity.P2));
        var alert = await rig.Alert(service, "disk");
        Assert.Equal(new DateTimeOffset(2026, 3, 3, 8, 0, 0, TimeSpan.Zero), (await rig.EscalationOf(alert))!.NextAt);
        await rig.TakeIn(service, Signal("disk", severity: Severity.P1));
        Assert.Equal(rig.Now, (await rig.EscalationOf(alert))!.NextAt);
    }

    [Fact]
    public async Task A_severity_without_a_policy_is_listed_and_pages_nobody()
    {
        var policy = await rig.Policy("Bad");
        var service = await rig.Service(policies: new(policy.Id, policy.Id, null, null));
        await rig.TakeIn(service, Signal("disk", severity: Severity.P3));
        var alert = await rig.Alert(service, "disk");
        Assert.Equal(AlertQuiet.Unrouted, alert.Quiet);
        Assert.Null(await rig.EscalationOf(alert));
        await rig.TakeIn(service, Signal("disk", severity: Severity.P1));
        Assert.Equal(AlertQuiet.No, (await rig.Alert(service, "disk")).Quiet);
        Assert.NotNull(await rig.EscalationOf(alert));
    }

    [Fact]
    public async Task Its_source_acknowledges_once_and_never_takes_it_from_a_person()
    {
        var service = await rig.Service(acknowledgedFor: 30);
        await rig.TakeIn(service, Signal("disk"), Signal("disk", SignalAction.Acknowledge));
        var alert = await rig.Alert(service, "disk");
        Assert.Equal((AlertState.Acknowledged, "db1", null), (alert.State, alert.AcknowledgedBy, alert.FirstHumanAt));
        Assert.Equal(rig.Now.AddMinutes(30), (await rig.EscalationOf(alert))!.NextAt);
        await rig.Acknowledge.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        await rig.TakeIn(service, Signal("disk", SignalAction.Acknowledge));
        Assert.Equal("Bob", (await rig.Alert(service, "disk")).AcknowledgedBy);
    }

    [Fact]
    public async Task A_storm_of_three_thousand_alerts_in_a_minute_is_one_escalation()
    {
        var service = await rig.Service(groupFor: 5);
        for (var second = 0; second < 60; second += 15)
        {
            await using (var db = database.Open())
            {
                db.HeardSignals.AddRange(Enumerable.Range(0, 750).Select(i => new Infrastructure.Persistence.Alerting.HeardSignal(service.Id, Signal($"host-{second}-{i}"), rig.Now)));
                await db.SaveChangesAsync();
            }
            while (await rig.Intake.Take(CancellationToken.None) is > 0) { }
            rig.Clock.FastForward(TimeSpan.FromSeconds(15));
        }
        var alerts = await rig.Alerts(service);
        Assert.Equal(3_000, alerts.Count);
        var head = Assert.Single(alerts, a => a.Quiet == AlertQuiet.No);
        Assert.Equal((2_999, 2_999), (head.GroupCount, alerts.Count(a => a.GroupId == head.Id)));
        await using var check = database.Open();
        Assert.Equal(1, await check.Escalations.CountAsync(e => check.Alerts.Any(a => a.Id == e.AlertId && a.ServiceId == service.Id)));
    }

    [Fact]
    public async Task A_batch_whose_connection_dies_in_its_midst_counts_once_when_it_is_taken_again()
    {
        var service = await rig.Service();
        await rig.Hear(service, Signal("disk"), Signal("disk"), Signal("net"));
        await using (var blocker = new NpgsqlConnection(database.ConnectionString))
        {
            await blocker.OpenAsync();
            await using var transaction = await blocker.BeginTransactionAsync();
            await using (var block = new NpgsqlCommand("lock table alert_events in exclusive mode", blocker)) await block.ExecuteNonQueryAsync();
            var taking = rig.Intake.Take(CancellationToken.None);
            await using var other = new NpgsqlConnection(database.ConnectionString);
            await other.OpenAsync();
            await Soon.Comes(async () =>
            {
                await using var kill = new NpgsqlCommand("select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query ilike '%alert_events%'", other);
                return (long)(await kill.ExecuteScalarAsync())! > 0;
            }, "the batch waits in its midst and is killed");
            await Assert.ThrowsAnyAsync<Exception>(() => taking);
            await transaction.RollbackAsync();
        }
        Assert.Empty(await rig.Alerts(service));
        while (await rig.Intake.Take(CancellationToken.None) is > 0) { }
        Assert.Equal([2L, 1L], (await rig.Alerts(service)).OrderBy(a => a.Key).Select(a => a.Count));
    }

    [Fact]
    public async Task While_one_node_takes_signals_in_another_one_leaves_them_alone()
    {
        var service = await rig.Service();
        await rig.Hear(service, Signal("disk"));
        await using (var blocker = new NpgsqlConnection(database.ConnectionString))
        {
            await blocker.OpenAsync();
            await using var transaction = await blocker.BeginTransactionAsync();
            await using (var block = new NpgsqlCommand("select pg_advisory_xact_lock(hashtext('portal.alert-intake'))", blocker)) await block.ExecuteNonQueryAsync();
            Assert.Null(await rig.Intake.Take(CancellationToken.None));
            Assert.Empty(await rig.Alerts(service));
        }
        while (await rig.Intake.Take(CancellationToken.None) is > 0) { }
        Assert.Single(await rig.Alerts(service));
    }

    [Fact]
    public async Task A_signal_that_cannot_be_taken_in_does_not_hold_up_the_others()
    {
        var (service, name) = (await rig.Service(), $"poison_{Guid.NewGuid():N}");
        // Names of our own making, which cannot be parameters.
        var (forbid, allow) = ($"alter table alerts add constraint {name} check (service_id <> '{service.Id.Value}' or key <> 'poison')", $"alter table alerts drop constraint {name}");
        await rig.Hear(service, Signal("disk"), Signal("poison"), Signal("net"));
        await using (var db = database.Open())
        {
            await db.Database.ExecuteSqlRawAsync(forbid);
            try
            {
                await Soon.Comes(async () =>
                {
                    await rig.Intake.Take(CancellationToken.None);
                    return (await rig.Alerts(service)).Count == 2;
                }, "the two others");
                Assert.True(await db.HeardSignals.AnyAsync(s => s.ServiceId == service.Id));
            }
            finally
            {
                await db.Database.ExecuteSqlRawAsync(allow);
            }
        }
        while (await rig.Intake.Take(CancellationToken.None) is > 0) { }
        Assert.Equal(["disk", "net", "poison"], (await rig.Alerts(service)).Select(a => a.Key).Order());
    }
}
