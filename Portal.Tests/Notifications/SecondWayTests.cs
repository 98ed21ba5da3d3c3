using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Tests.Support;

namespace Portal.Tests.Notifications;

/// <summary>Whoever cannot be reached by one way is reached by the next, within limits that hold.</summary>
public sealed class SecondWayTests
{
    [Fact]
    public async Task After_a_refusal_the_next_contact_is_told_at_once_and_then_the_mail_that_they_sign_in_with()
    {
        await using var rig = await DispatchRig.Start();
        var sms = await rig.Channel(ChannelKind.Sms);
        var (first, second) = (await rig.Contact(rig.Alice, ChannelKind.Sms, sms, "+491701111111"), await rig.Contact(rig.Alice, ChannelKind.Ntfy, await rig.Channel(ChannelKind.Ntfy), "alice-topic", after: 2));
        rig.Receiver.Answer = _ => ReceiverServer.Says(400, """{"code":21211,"message":"Invalid 'To' Phone Number"}""");
        var id = await rig.Page(first);
        await rig.Node().Drain(default);
        var all = await rig.All();
        Assert.Equal([ChannelKind.Sms, ChannelKind.Ntfy, ChannelKind.Email], all.Select(d => d.Kind));
        Assert.Equal([DeliveryState.Failed, DeliveryState.Failed, DeliveryState.Sent], all.Select(d => d.State));
        Assert.Equal((id, second.Id, "alice@example.com"), (all[1].InsteadOf, all[1].ContactId, all[2].Address));
        var lines = await rig.Timeline();
        Assert.Equal("NotDelivered SMS to Alice (…11): 127.0.0.1 answered 400: 21211 Invalid 'To' Phone Number Next way: ntfy (…ic).", lines[0]);
        Assert.EndsWith("Next way: the mail address that they sign in with.", lines[1], StringComparison.Ordinal);
        Assert.Equal("Delivered E-mail to Alice (a…@example.com): sent", lines[2]);
    }

    [Fact]
    public async Task A_way_that_was_to_follow_later_is_brought_forward_instead_of_coming_twice()
    {
        await using var rig = await DispatchRig.Start();
        var sms = await rig.Channel(ChannelKind.Sms);
        var (first, second) = (await rig.Contact(rig.Alice, ChannelKind.Sms, sms, "+491701111111"), await rig.Contact(rig.Alice, ChannelKind.Sms, sms, "+491702222222", after: 5));
        rig.Receiver.Answer = r => r.Form["To"] == "+491701111111" ? ReceiverServer.Says(400, "{}") : ReceiverServer.Says(201, "{}");
        await rig.Page(first);
        var later = await rig.Page(second, TimeSpan.FromMinutes(5));
        await rig.Node().Drain(default);
        await rig.Node().Drain(default);
        Assert.Equal(DeliveryState.Sent, (await rig.Find(later)).State);
        Assert.Equal(2, (await rig.All()).Count);
    }

    [Fact]
    public async Task A_way_that_does_not_answer_for_a_minute_is_not_waited_for_and_tells_nobody_twice_if_it_comes_back()
    {
        await using var rig = await DispatchRig.Start();
        var contact = await rig.Contact(rig.Alice, ChannelKind.Sms, await rig.Channel(ChannelKind.Sms), "+491701111111");
        rig.Receiver.Answer = _ => ReceiverServer.Says(503, "");
        var id = await rig.Page(contact);
        await rig.Node().Drain(default);
        await rig.MakeDue();
        await rig.Node().Drain(default);
        Assert.Single(await rig.All());
        await rig.Run("update delivery_events set at = at - interval '50 seconds'");
        await rig.MakeDue();
        await rig.Node().Drain(default);
        var mail = (await rig.All()).Single(d => d.Kind == ChannelKind.Email);
        Assert.Equal((id, DeliveryState.Waiting), (mail.InsteadOf!.Value, mail.State));
        Assert.InRange(mail.DueAt - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(-5), TimeSpan.FromSeconds(11));
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, "{}");
        await rig.Run("update deliveries set due_at = clock_timestamp() where instead_of is null");
        await rig.Run("update deliveries set due_at = clock_timestamp() + interval '1 hour' where instead_of is not null");
        await rig.Node().Drain(default);
        Assert.Equal(DeliveryState.Sent, (await rig.Find(id)).State);
        Assert.Equal((DeliveryState.Dropped, "The first way came through."), ((await rig.Find(mail.Id)).State, (await rig.Find(mail.Id)).LastError));
    }

    [Fact]
    public async Task Of_many_pages_in_a_row_the_first_five_go_and_the_rest_are_one_message_with_a_count()
    {
        await using var rig = await DispatchRig.Start();
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, "{}");
        var contact = await rig.Contact(rig.Bob, ChannelKind.Sms, await rig.Channel(ChannelKind.Sms), "+491701111111");
        for (var i = 0; i < 9; i++) await rig.Page(contact);
        Assert.Equal(5, await rig.Node().Drain(default));
        var waiting = (await rig.All()).Where(d => d.State == DeliveryState.Waiting).ToList();
        Assert.Equal(4, waiting.Count);
        Assert.All(waiting, d => Assert.InRange(d.DueAt - d.GatheringSince!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(61)));
        // The minute is over.
        await rig.Run("update deliveries set gathering_since = gathering_since - interval '61 seconds', due_at = clock_timestamp() where state = 'Waiting'");
        Assert.Equal(1, await rig.Node().Drain(default));
        var all = await rig.All();
        Assert.Equal((6, 3), (all.Count(d => d.State == DeliveryState.Sent), all.Count(d => d.State == DeliveryState.Dropped)));
        Assert.All(all.Where(d => d.State == DeliveryState.Dropped), d => Assert.Equal("Part of one message with 3 others.", d.LastError));
        Assert.Equal(6, rig.Receiver.All.Count);
        Assert.StartsWith("4 messages: P1", rig.Receiver.All[^1].Form["Body"], StringComparison.Ordinal);
        Assert.Equal(9, (await rig.Timeline()).Count(l => l.StartsWith("Delivered", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_bundle_that_is_not_taken_is_tried_again_whole()
    {
        await using var rig = await DispatchRig.Start();
        var contact = await rig.Contact(rig.Bob, ChannelKind.Sms, await rig.Channel(ChannelKind.Sms), "+491701111111");
        for (var i = 0; i < 3; i++) await rig.Page(contact);
        await rig.Run("update deliveries set gathering_since = clock_timestamp() - interval '61 seconds'");
        rig.Receiver.Answer = _ => ReceiverServer.Says(500, "");
        Assert.Equal(1, await rig.Node().Drain(default));
        Assert.All(await rig.All(), d => Assert.Equal((DeliveryState.Waiting, 1), (d.State, d.Attempts)));
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, "{}");
        await rig.MakeDue();
        await rig.Node().Drain(default);
        Assert.Equal((1, 2), ((await rig.All()).Count(d => d.State == DeliveryState.Sent), (await rig.All()).Count(d => d.State == DeliveryState.Dropped)));
        Assert.Equal(2, rig.Receiver.All.Count);
    }

    [Fact]
    public async Task A_channel_sends_no_more_in_a_minute_than_it_may_and_nothing_is_lost()
    {
        await using var rig = await DispatchRig.Start();
        var channel = await rig.Channel(ChannelKind.Webhook, new(PerMinute: 3));
        for (var i = 0; i < 5; i++) await rig.Page(channel, isTest: true);
        await Task.WhenAll(rig.Node("a").Drain(default), rig.Node("b").Drain(default));
        Assert.Equal(3, rig.Receiver.All.Count);
        await rig.Run("update deliveries set sent_at = sent_at - interval '2 minutes' where sent_at is not null");
        await rig.MakeDue();
        await rig.Node().Drain(default);
        Assert.Equal(5, rig.Receiver.All.Count);
    }

    [Fact]
    public async Task When_the_money_of_a_month_is_used_up_the_next_way_is_taken_and_those_who_run_the_portal_hear_of_it_once()
    {
        await using var rig = await DispatchRig.Start();
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, "{}");
        var contact = await rig.Contact(rig.Alice, ChannelKind.Sms, await rig.Channel(ChannelKind.Sms, new(CostCents: 10, MonthlyCapCents: 25)), "+491701111111");
        for (var i = 0; i < 4; i++) await rig.Queue(new(contact.Kind, contact.ChannelId, contact.PersonId, contact.Id, contact.Address), step: i);
        await rig.Node().Drain(default);
        await rig.Node().Drain(default);
        Assert.Equal(2, rig.Receiver.All.Count);
        var all = await rig.All();
        Assert.Equal(2, all.Count(d => d is { Kind: ChannelKind.Sms, State: DeliveryState.Failed, LastError: "The channel's cap of costs for this month is reached." }));
        Assert.Equal(2, all.Count(d => d is { Kind: ChannelKind.Email, State: DeliveryState.Sent }));
        await using var db = rig.Database.Open();
        Assert.Contains("used up its money", (await db.Notices.SingleAsync()).Title, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receipt_says_that_it_arrived_and_one_that_says_it_did_not_leads_on()
    {
        await using var rig = await DispatchRig.Start();
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, "{}");
        var channel = await rig.Channel(ChannelKind.Sms);
        var contact = await rig.Contact(rig.Alice, ChannelKind.Sms, channel, "+491701111111");
        var (arrived, lost) = (await rig.Page(contact), await rig.Queue(new(contact.Kind, contact.ChannelId, contact.PersonId, contact.Id, contact.Address), step: 1));
        await rig.Node().Drain(default);
        Assert.True(await rig.Records().Receipt(arrived, channel.Id, true, "delivered", default));
        Assert.True(await rig.Records().Receipt(lost, channel.Id, false, "undelivered", default));
        Assert.False(await rig.Records().Receipt(lost, channel.Id, true, "delivered", default));
        Assert.False(await rig.Records().Receipt(arrived, new ChannelId(arrived.Value), true, "delivered", default));
        Assert.Equal((DeliveryState.Delivered, DeliveryState.Failed), ((await rig.Find(arrived)).State, (await rig.Find(lost)).State));
        Assert.Equal(lost, (await rig.All()).Single(d => d.Kind == ChannelKind.Email).InsteadOf);
    }
}
