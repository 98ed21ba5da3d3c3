using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Tests.Support;
using static Portal.Tests.OnCall.Crew;

namespace Portal.Tests.OnCall;

/// <summary>Steps fire at their time, tell whoever is on call at that moment, once, whatever happens to the nodes.</summary>
public sealed class EscalatorTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly FakeClock clock = new(At("2026-03-02T12:00Z"));
    PagerRig rig = null!;
    PersonId ann, ben;

    public async Task InitializeAsync()
    {
        rig = new(database, clock);
        await rig.Clear();
        (ann, ben) = (await rig.Person("Ann"), await rig.Person("Ben"));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    static EscalationTarget Of(PersonId person) => EscalationTarget.Of(person);

    async Task<int> After(double minutes)
    {
        clock.FastForward(TimeSpan.FromMinutes(minutes));
        return await rig.Node().Drain(default);
    }

    [Fact]
    public async Task Whoever_is_on_call_when_the_step_fires_is_told_and_not_who_was_when_the_alert_began()
    {
        var rotation = await rig.Add(Rotating(HandOvers.Hourly(), "2026-03-01T00:00", "UTC", ann, ben));
        var schedule = await rig.Add(Schedule(new OnCallLayer("Layer", rotation.Id, null)));
        var begins = rotation.OnDutyAt(rig.Now) == ann ? "ann@example.com" : "ben@example.com";
        var follows = begins == "ann@example.com" ? "ben@example.com" : "ann@example.com";
        var id = await rig.Trigger(await rig.Policy(0, PagerRig.Step(70, EscalationTarget.Of(schedule.Id)), PagerRig.Step(0, EscalationTarget.Of(schedule.Id))));
        Assert.Equal(1, await After(0));
        Assert.Equal([$"0 {begins}"], await rig.Told());
        Assert.Equal(0, await After(69));
        Assert.Equal(1, await After(1));
        Assert.Equal([$"0 {begins}", $"1 {follows}"], await rig.Told());

        var first = (await rig.Deliveries())[0];
        Assert.Equal((DeliveryPurpose.Page, ChannelKind.Email, DeliveryState.Waiting, id), (first.Purpose, first.Kind, first.State, first.AlertId));
        Assert.Equal("P1 Payments: Card payments fail (a)", first.Title);
        foreach (var part in (string[])["Service: Payments", "About: shop-1", "Since: 2 Mar 2026, 12:00 UTC", "step 1 of 2"]) Assert.Contains(part, first.Body, StringComparison.Ordinal);
        Assert.Equal([AlertEventKind.Paged, AlertEventKind.Paged, AlertEventKind.Exhausted], (await rig.Events(id)).Select(e => e.Kind));
        Assert.Contains(begins == "ann@example.com" ? "told Ann (mail)" : "told Ben (mail)", (await rig.Events(id))[0].Text, StringComparison.Ordinal);
        Assert.Contains(await rig.Notices(), n => n.Title == "Policy: every step has fired and nobody acknowledged");
    }

    [Fact]
    public async Task A_persons_own_contacts_are_used_in_their_order_and_an_unverified_one_never()
    {
        await Verified(ben, ChannelKind.WebPush, "Firefox", 0);
        await Verified(ben, ChannelKind.Email, "private@example.com", 5);
        await rig.Add(new Contact(ben, ChannelKind.Sms, null, "+491", null, 2, rig.Now));
        await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, Of(ben))));
        await After(0);
        var told = await rig.Deliveries();
        Assert.Equal([("Firefox", rig.Now), ("private@example.com", rig.Now.AddMinutes(5))], told.Select(d => (d.Address, d.DueAt)));
        Assert.All(told, d => Assert.Equal(ben, d.PersonId));
    }

    async Task Verified(PersonId person, ChannelKind kind, string address, int after)
    {
        var contact = new Contact(person, kind, null, address, null, after, rig.Now);
        contact.SendCode([1], rig.Now);
        Assert.True(contact.Verify([1], rig.Now));
        await rig.Add(contact);
    }

    [Fact]
    public async Task Who_is_meant_twice_is_told_once_and_a_test_says_so_everywhere()
    {
        var schedule = await rig.Add(Schedule(new OnCallLayer("Ann", null, ann)));
        var id = await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, Of(ann), EscalationTarget.Of(schedule.Id), Of(ben))), isTest: true);
        await After(0);
        Assert.Equal(["0 ann@example.com", "0 ben@example.com"], await rig.Told());
        Assert.All(await rig.Deliveries(), d => Assert.True(d.IsTest && d.Title.StartsWith("TEST ", StringComparison.Ordinal) && d.Body.StartsWith("TEST:", StringComparison.Ordinal)));
        // A test that went unanswered is what a test may do.
        Assert.Empty(await rig.Notices());
        Assert.Equal(EscalationState.Exhausted, (await rig.Escalation(id)).State);
    }

    [Fact]
    public async Task An_acknowledgement_that_runs_out_tells_the_last_ones_again()
    {
        var id = await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, Of(ann)), PagerRig.Step(5, Of(ben))));
        await After(0);
        await rig.On(id, (alert, escalation) =>
        {
            alert.Acknowledge(Cast.Bob, rig.Now);
            escalation.Acknowledge(rig.Now, Cast.Bob, rig.Now.AddMinutes(30));
        });
        Assert.Equal(0, await After(29.9));
        Assert.Equal(2, await After(0.1));
        Assert.Equal(["0 ann@example.com", "0 ann@example.com"], await rig.Told());
        // The time of both is one here: a clock that goes on puts the reminder second.
        Assert.Equal([AlertEventKind.Paged, AlertEventKind.Paged, AlertEventKind.Released], (await rig.Events(id)).Select(e => e.Kind).Order());
        Assert.Equal(1, await After(5));
        Assert.Equal(["0 ann@example.com", "0 ann@example.com", "1 ben@example.com"], await rig.Told());
        Assert.Equal([AlertEventKind.Paged, AlertEventKind.Exhausted], (await rig.Events(id)).Skip(3).Select(e => e.Kind));
        await using var db = database.Open();
        Assert.Equal((AlertState.Triggered, null), await db.Alerts.Where(a => a.Id == id).Select(a => new ValueTuple<AlertState, string?>(a.State, a.AcknowledgedBy)).SingleAsync());
    }

    [Fact]
    public async Task A_step_with_nobody_on_call_is_complained_about_and_the_next_one_fires_at_once()
    {
        var empty = await rig.Add(Rotating(HandOvers.Weekly(), "2026-01-05T09:00", "UTC"));
        var nobody = await rig.Add(Schedule(new OnCallLayer("Layer", empty.Id, null)));
        var id = await rig.Trigger(await rig.Policy(1, PagerRig.Step(15, EscalationTarget.Of(nobody.Id)), PagerRig.Step(15, Of(ben))));
        Assert.Equal(2, await After(0));
        Assert.Equal(["1 ben@example.com"], await rig.Told());
        var events = await rig.Events(id);
        Assert.Equal([AlertEventKind.PagedNobody, AlertEventKind.Paged], events.Select(e => e.Kind));
        Assert.Contains("Nobody is on call in Schedule. The next step fires at once.", events[0].Text, StringComparison.Ordinal);
        var notice = Assert.Single(await rig.Notices());
        Assert.Equal("Policy: a step reached nobody", notice.Title);
        // Ben has his whole time before the next round.
        Assert.Equal(0, await After(14.9));
        Assert.Equal(2, await After(0.1));
    }

    [Fact]
    public async Task A_policy_in_which_nobody_is_does_not_run_through_its_rounds_at_once()
    {
        var nobody = await rig.Add(Schedule());
        var id = await rig.Trigger(await rig.Policy(9, PagerRig.Step(10, EscalationTarget.Of(nobody.Id))));
        Assert.Equal(1, await After(0));
        Assert.Equal(rig.Now.AddMinutes(10), (await rig.Escalation(id)).NextAt);
        await using (var db = database.Open())
        {
            (await db.OnCallSchedules.SingleAsync(s => s.Id == nobody.Id)).Override(new(rig.Now, rig.Now.AddDays(1)), null, ben, "x", rig.Now);
            await db.SaveChangesAsync();
        }
        await After(10);
        Assert.Equal(["1 ben@example.com"], await rig.Told());
    }

    [Fact]
    public async Task Several_nodes_at_once_fire_each_step_once()
    {
        var policy = await rig.Policy(0, PagerRig.Step(5, Of(ann), Of(ben)), PagerRig.Step(5, Of(ben)));
        for (var i = 0; i < 120; i++) await rig.Trigger(policy, $"k{i}");
        var fired = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => rig.Node().Drain(default))));
        Assert.Equal(120, fired.Sum());
        Assert.Equal(240, (await rig.Deliveries()).Count);
        clock.FastForward(TimeSpan.FromMinutes(5));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => rig.Node().Drain(default))));
        Assert.Equal(360, (await rig.Deliveries()).Count);
    }

    [Fact]
    public async Task A_node_killed_before_its_commit_has_done_nothing_and_another_one_does_it()
    {
        var id = await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, Of(ann))));
        await using (var killed = database.Open())
        {
            await using var transaction = await killed.Database.BeginTransactionAsync();
            Assert.Single(await killed.Escalations.FromSqlRaw("select e.*, e.xmin from escalations e for update").ToListAsync());
            // Another node leaves it alone while somebody has it in hand.
            Assert.Equal(0, await rig.Node().Drain(default));
            var backend = (await killed.Database.SqlQueryRaw<int>("select pg_backend_pid()").ToListAsync())[0];
            await using var other = database.Open();
            await other.Database.ExecuteSqlAsync($"select pg_terminate_backend({backend})");
            await Soon.Comes(async () => (await other.Database.SqlQuery<int>($"select pid from pg_stat_activity where pid = {backend}").ToListAsync()).Count == 0, "the connection is gone");
        }
        Assert.Empty(await rig.Deliveries());
        Assert.Equal(1, await rig.Node().Drain(default));
        Assert.Equal(["0 ann@example.com"], await rig.Told());
        Assert.Equal(1, (await rig.Escalation(id)).Fired);
    }

    [Fact]
    public async Task An_alert_goes_on_by_the_policy_as_it_was_when_it_began()
    {
        var policy = await rig.Policy(0, PagerRig.Step(5, Of(ann)), PagerRig.Step(5, Of(ann)));
        await rig.Trigger(policy, "before");
        await After(0);
        await using (var db = database.Open())
        {
            (await db.EscalationPolicies.SingleAsync(p => p.Id == policy.Id)).Change([PagerRig.Step(1, Of(ben))], 0, "Alice", rig.Now);
            await db.SaveChangesAsync();
            policy = await db.EscalationPolicies.AsNoTracking().SingleAsync(p => p.Id == policy.Id);
        }
        await rig.Trigger(policy, "after");
        await After(5);
        Assert.Equal(["0 ann@example.com", "0 ben@example.com", "1 ann@example.com"], (await rig.Told()).Order());
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_fires_what_is_late_once_and_one_that_jumps_back_fires_nothing_twice()
    {
        var id = await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, Of(ann)), PagerRig.Step(5, Of(ben))));
        await After(0);
        var began = rig.Now;
        clock.SetWall(began.AddHours(3));
        Assert.Equal(1, await rig.Node().Drain(default));
        Assert.Equal(["0 ann@example.com", "1 ben@example.com"], await rig.Told());
        clock.SetWall(began.AddHours(-3));
        Assert.Equal(0, await rig.Node().Drain(default));
        Assert.Equal(2, (await rig.Escalation(id)).Fired);
    }

    [Fact]
    public async Task One_that_cannot_be_fired_holds_up_no_other()
    {
        var broken = await rig.Policy(0, PagerRig.Step(5, Of(ann)));
        var stuck = await rig.Trigger(broken, "stuck");
        await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"update escalations set policy_number = 9");
        var good = await rig.Trigger(await rig.Policy(0, PagerRig.Step(5, Of(ben))), "good");
        var node = rig.Node();
        Assert.Equal(1, await node.Drain(default));
        Assert.Equal(["0 ben@example.com"], await rig.Told());
        // It is tried again after a rest, and the auditor sees it meanwhile.
        Assert.Equal(0, await node.Drain(default));
        clock.FastForward(TimeSpan.FromMinutes(1));
        Assert.Contains((await rig.Audit().Load(default)).Findings, f => f.Kind == "overdue");
        await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"update escalations set policy_number = 1");
        Assert.Equal(1, await node.Drain(default));
        Assert.NotEqual(stuck, good);
    }

    [Fact]
    public async Task What_is_resolved_or_acknowledged_for_good_fires_nothing()
    {
        var policy = await rig.Policy(0, PagerRig.Step(5, Of(ann)), PagerRig.Step(5, Of(ben)));
        var (resolved, taken, open) = (await rig.Trigger(policy, "resolved"), await rig.Trigger(policy, "taken"), await rig.Trigger(policy, "open"));
        await After(0);
        await rig.On(resolved, (a, e) => { a.Resolve("Bob", rig.Now); e.Resolve(rig.Now); });
        await rig.On(taken, (a, e) => { a.Acknowledge(Cast.Bob, rig.Now); e.Acknowledge(rig.Now, Cast.Bob); });
        Assert.Equal(1, await After(60));
        Assert.Equal([open], (await rig.Deliveries()).Where(d => d.Step == 1).Select(d => d.AlertId!.Value));
    }
}
