using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Tests.Support;
using static Portal.Tests.Alerting.AlertingRig;

namespace Portal.Tests.Alerting;

public class AlertActionTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    readonly AlertingRig rig = new(database);

    async Task<Alert> Raised(Service service, string key = "disk", Severity severity = Severity.P1)
    {
        await rig.TakeIn(service, Signal(key, severity: severity));
        return await rig.Alert(service, key);
    }

    async Task<DeliveryId> Deliver(Alert alert, DeliveryState state, ChannelKind kind = ChannelKind.Slack, int? step = 0)
    {
        await using var db = database.Open();
        var delivery = new Delivery(DeliveryPurpose.Page, new(kind, null, null, null, $"#{Guid.NewGuid():N}"), $"{Guid.NewGuid():N}", "P1", "P1", alert.Id, rig.Now, rig.Now, step);
        db.Deliveries.Add(delivery);
        db.Entry(delivery).Property(d => d.State).CurrentValue = state;
        await db.SaveChangesAsync();
        return delivery.Id;
    }

    async Task<List<Delivery>> Deliveries(Alert alert)
    {
        await using var db = database.Open();
        return await db.Deliveries.AsNoTracking().Where(d => d.AlertId == alert.Id).ToListAsync();
    }

    [Fact]
    public async Task Acknowledging_stops_the_escalation_drops_what_waits_and_tells_the_places_that_had_heard()
    {
        var service = await rig.Service(acknowledgedFor: 30);
        var alert = await Raised(service);
        var (waiting, sent) = (await Deliver(alert, DeliveryState.Waiting), await Deliver(alert, DeliveryState.Sent));
        await rig.Acknowledge.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        var now = await rig.Alert(service, "disk");
        Assert.Equal((AlertState.Acknowledged, "Bob", (DateTimeOffset?)rig.Now), (now.State, now.AcknowledgedBy, now.FirstHumanAt));
        Assert.Equal((EscalationState.Acknowledged, (DateTimeOffset?)rig.Now.AddMinutes(30)), ((await rig.EscalationOf(alert))!.State, (await rig.EscalationOf(alert))!.NextAt));
        var deliveries = await Deliveries(alert);
        Assert.Equal((DeliveryState.Dropped, (DateTimeOffset?)rig.Now), deliveries.Where(d => d.Id == waiting).Select(d => (d.State, d.EndedAt)).Single());
        Assert.Equal(DeliveryState.Sent, deliveries.Single(d => d.Id == sent).State);
        var follow = Assert.Single(deliveries, d => d.Purpose == DeliveryPurpose.Follow);
        Assert.Equal((deliveries.Single(d => d.Id == sent).Address, "Acknowledged by Bob: disk is wrong", DeliveryState.Waiting), (follow.Address, follow.Title, follow.State));
        await using var db = database.Open();
        Assert.Equal("Acknowledged by Bob", (await db.DeliveryEvents.SingleAsync(e => e.DeliveryId == waiting)).Detail);
        Assert.Equal("alert.acknowledged", (await db.Audit.SingleAsync(a => a.Subject == alert.Id.ToString())).Action);
    }

    [Fact]
    public async Task Several_are_taken_at_once_and_what_ended_meanwhile_is_left_as_it_is()
    {
        var service = await rig.Service();
        var (one, two, over) = (await Raised(service, "one"), await Raised(service, "two"), await Raised(service, "over"));
        await rig.Resolve.Execute([over.Id], Cast.Alice, CancellationToken.None);
        await rig.Acknowledge.Execute([one.Id, two.Id, over.Id], Cast.Bob, CancellationToken.None);
        Assert.Equal([AlertState.Acknowledged, AlertState.Acknowledged, AlertState.Resolved], [(await rig.Alert(service, "one")).State, (await rig.Alert(service, "two")).State, (await rig.Alert(service, "over")).State]);
        await Assert.ThrowsAsync<DomainException>(() => rig.Acknowledge.Execute([over.Id], Cast.Bob, CancellationToken.None));
        await Assert.ThrowsAsync<NotFoundException>(() => rig.Acknowledge.Execute([one.Id, new AlertId(Guid.CreateVersion7())], Cast.Bob, CancellationToken.None));
    }

    [Fact]
    public async Task Resolving_again_changes_nothing_and_tells_nobody()
    {
        var service = await rig.Service();
        var alert = await Raised(service);
        await rig.Resolve.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        await rig.Resolve.Execute([alert.Id], Cast.Alice, CancellationToken.None);
        var now = await rig.Alert(service, "disk");
        Assert.Equal(("Bob", (DateTimeOffset?)rig.Now.AddMinutes(-1), null), (now.ResolvedBy, now.ResolvedAt, now.EndedAt));
        Assert.Single(await rig.Events(alert), e => e.Kind == AlertEventKind.Resolved);
        Assert.Equal(EscalationState.Resolved, (await rig.EscalationOf(alert))!.State);
    }

    [Fact]
    public async Task Snoozing_takes_it_until_a_time_and_giving_it_back_pages_at_once()
    {
        var service = await rig.Service();
        var alert = await Raised(service);
        await rig.Snooze.Execute([alert.Id], rig.Now.AddHours(2), Cast.Bob, CancellationToken.None);
        var snoozed = await rig.Alert(service, "disk");
        Assert.Equal((AlertState.Acknowledged, (DateTimeOffset?)rig.Now.AddHours(2)), (snoozed.State, snoozed.SnoozedUntil));
        Assert.Equal((DateTimeOffset?)rig.Now.AddHours(2), (await rig.EscalationOf(alert))!.NextAt);
        await rig.Release.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        Assert.Equal((AlertState.Triggered, null, null), ((await rig.Alert(service, "disk")).State, (await rig.Alert(service, "disk")).AcknowledgedBy, (await rig.Alert(service, "disk")).SnoozedUntil));
        Assert.Equal((EscalationState.Running, (DateTimeOffset?)rig.Now), ((await rig.EscalationOf(alert))!.State, (await rig.EscalationOf(alert))!.NextAt));
        await Assert.ThrowsAsync<DomainException>(() => rig.Release.Execute([alert.Id], Cast.Bob, CancellationToken.None));
        await Assert.ThrowsAsync<DomainException>(() => rig.Snooze.Execute([alert.Id], rig.Now.AddDays(8), Cast.Bob, CancellationToken.None));
    }

    [Fact]
    public async Task Escalating_fires_the_next_step_at_once_and_takes_it_from_whoever_had_it()
    {
        var service = await rig.Service();
        var alert = await Raised(service);
        await using (var db = database.Open())
        {
            var escalation = await db.Escalations.SingleAsync(e => e.AlertId == alert.Id);
            escalation.Fire((await db.EscalationPolicies.SingleAsync(p => p.Id == escalation.PolicyId)).Current, rig.Now);
            await db.SaveChangesAsync();
        }
        await rig.Acknowledge.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        await rig.Escalate.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        Assert.Equal(AlertState.Triggered, (await rig.Alert(service, "disk")).State);
        var now = (await rig.EscalationOf(alert))!;
        Assert.Equal((EscalationState.Running, 1, (DateTimeOffset?)rig.Now), (now.State, now.Position, now.NextAt));
    }

    [Fact]
    public async Task Assigning_to_another_policy_begins_anew_also_for_one_that_was_quiet()
    {
        var service = await rig.Service(policies: new(null, null, null, null));
        var (alert, policy) = (await Raised(service), await rig.Policy("Managers"));
        Assert.Equal(AlertQuiet.Unrouted, alert.Quiet);
        await Assert.ThrowsAsync<DomainException>(() => rig.Escalate.Execute([alert.Id], Cast.Bob, CancellationToken.None));
        await rig.Reassign.Execute([alert.Id], policy.Id, Cast.Bob, CancellationToken.None);
        Assert.Equal(AlertQuiet.No, (await rig.Alert(service, "disk")).Quiet);
        Assert.Equal((policy.Id, (DateTimeOffset?)rig.Now), ((await rig.EscalationOf(alert))!.PolicyId, (await rig.EscalationOf(alert))!.NextAt));
        await Assert.ThrowsAsync<NotFoundException>(() => rig.Reassign.Execute([alert.Id], new EscalationPolicyId(Guid.CreateVersion7()), Cast.Bob, CancellationToken.None));
    }

    [Fact]
    public async Task Whoever_may_not_handle_alerts_does_nothing_to_them()
    {
        var service = await rig.Service();
        var (alert, policy) = (await Raised(service), await rig.Policy("P"));
        foreach (var act in new Func<Actor, Task>[]
        {
            by => rig.Acknowledge.Execute([alert.Id], by, CancellationToken.None), by => rig.Resolve.Execute([alert.Id], by, CancellationToken.None), by => rig.Snooze.Execute([alert.Id], rig.Now.AddHours(1), by, CancellationToken.None),
            by => rig.Release.Execute([alert.Id], by, CancellationToken.None), by => rig.Escalate.Execute([alert.Id], by, CancellationToken.None), by => rig.Reassign.Execute([alert.Id], policy.Id, by, CancellationToken.None),
            by => new NoteOnAlert(database.Contexts, rig.Clock).Execute(alert.Id, "x", by, CancellationToken.None), by => new RaiseAlert(database.Contexts, rig.Clock).Execute(new(service.Id, Severity.P1, "x"), by, CancellationToken.None),
        })
            await Assert.ThrowsAsync<ForbiddenException>(() => act(Cast.Charlie));
        Assert.Equal(AlertState.Triggered, (await rig.Alert(service, "disk")).State);
        await rig.Acknowledge.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        Assert.Equal(AlertState.Acknowledged, (await rig.Alert(service, "disk")).State);
    }

    [Fact]
    public async Task An_alert_that_is_raised_by_hand_goes_the_way_of_every_other_signal()
    {
        var service = await rig.Service();
        var key = await new RaiseAlert(database.Contexts, rig.Clock).Execute(new(service.Id, Severity.P0, "The cellar is wet", Labels: [new("floor", "-1")]), Cast.Bob, CancellationToken.None);
        while (await rig.Intake.Take(CancellationToken.None) is > 0) { }
        var alert = await rig.Alert(service, key);
        Assert.Equal(("Bob", "The cellar is wet", Severity.P0), (alert.RaisedBy, alert.Summary, alert.Severity));
        Assert.Equal(alert.Id, await new RaisedAlert(database.Contexts, rig.Clock).Load(service.Id, key, CancellationToken.None));
        await new NoteOnAlert(database.Contexts, rig.Clock).Execute(alert.Id, "The pump is on its way", Cast.Alice, CancellationToken.None);
        Assert.Equal(("Alice", "The pump is on its way"), (await rig.Events(alert)).Where(e => e.Kind == AlertEventKind.Noted).Select(e => (e.By, e.Text)).Single());
    }

    [Fact]
    public async Task Two_who_act_at_once_both_succeed_one_after_the_other()
    {
        var service = await rig.Service();
        var alert = await Raised(service);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => i % 2 == 0 ? rig.Acknowledge.Execute([alert.Id], i == 0 ? Cast.Alice : Cast.Bob, CancellationToken.None) : rig.Escalate.Execute([alert.Id], Cast.Bob, CancellationToken.None).ContinueWith(_ => { }, TaskScheduler.Default)));
        var (now, escalation) = (await rig.Alert(service, "disk"), (await rig.EscalationOf(alert))!);
        Assert.Equal(now.State == AlertState.Acknowledged, escalation.State == EscalationState.Acknowledged);
        Assert.Equal(3, (await rig.Events(alert)).Count(e => e.Kind == AlertEventKind.Acknowledged));
    }

    [Fact]
    public async Task The_link_in_a_page_acknowledges_as_its_person_and_says_what_stands()
    {
        var service = await rig.Service();
        var alert = await Raised(service);
        var person = new Person("Dora", "dora@example.com", Role.Staff, rig.Now);
        var delivery = new Delivery(DeliveryPurpose.Page, new(ChannelKind.Email, null, person.Id, null, "dora@example.com"), $"{Guid.NewGuid():N}", "P1", "P1", alert.Id, rig.Now, rig.Now, 0);
        await using (var db = database.Open())
        {
            db.AddRange(person, delivery);
            await db.SaveChangesAsync();
        }
        var (target, answer) = (new AnswerTarget(database.Contexts, rig.Clock), new AnswerAlert(database.Contexts, rig.Clock));
        Assert.Equal(AnswerState.Open, (await target.Load(delivery.Id, CancellationToken.None))!.State);
        Assert.Equal(AlertState.Triggered, (await rig.Alert(service, "disk")).State);
        var after = await answer.Execute(delivery.Id, resolve: false, "192.0.2.9", CancellationToken.None);
        Assert.Equal((AnswerState.Acknowledged, "Dora"), (after!.State, after.Holder));
        var now = await rig.Alert(service, "disk");
        Assert.Equal((AlertState.Acknowledged, "Dora", (DateTimeOffset?)rig.Now), (now.State, now.AcknowledgedBy, now.FirstHumanAt));
        await using (var db = database.Open())
        {
            Assert.Equal(rig.Now, (await db.Deliveries.SingleAsync(d => d.Id == delivery.Id)).ConfirmedAt);
            Assert.Equal((person.Id.Value, "192.0.2.9"), await db.Audit.Where(a => a.Subject == alert.Id.ToString() && a.Action == "alert.acknowledged").Select(a => new ValueTuple<Guid?, string?>(a.ActorId, a.From)).SingleAsync());
        }
        rig.Clock.FastForward(TimeSpan.FromHours(25));
        Assert.Equal(AnswerState.Expired, (await answer.Execute(delivery.Id, resolve: true, null, CancellationToken.None))!.State);
        Assert.True((await rig.Alert(service, "disk")).IsOpen);
        await rig.Resolve.Execute([alert.Id], Cast.Bob, CancellationToken.None);
        Assert.Equal(AnswerState.Over, (await target.Load(delivery.Id, CancellationToken.None))!.State);
        Assert.Null(await target.Load(new DeliveryId(Guid.CreateVersion7()), CancellationToken.None));
        // A place where many read has no link of its own.
        var place = await Deliver(alert, DeliveryState.Sent);
        Assert.Null(await target.Load(place, CancellationToken.None));
        Assert.Null(await answer.Execute(place, resolve: true, null, CancellationToken.None));
    }
}
