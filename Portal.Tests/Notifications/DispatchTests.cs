using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Infrastructure;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Notifications.Email;
using Portal.Tests.Notices;
using Portal.Tests.Support;

namespace Portal.Tests.Notifications;

/// <summary>What becomes of deliveries, on a real database and through real connections.</summary>
public sealed class DispatchTests
{
    [Fact]
    public async Task A_page_to_a_channel_is_sent_once_with_its_events_and_bears_no_link_that_answers_for_a_person()
    {
        await using var rig = await DispatchRig.Start();
        var webhook = await rig.Channel(ChannelKind.Webhook);
        var id = await rig.Page(webhook);
        Assert.Equal(1, await rig.Node().Drain(default));
        Assert.Equal(0, await rig.Node().Drain(default));
        var sent = await rig.Find(id);
        Assert.Equal((DeliveryState.Sent, 1, null), (sent.State, sent.Attempts, sent.LastError));
        Assert.NotNull(sent.SentAt);
        Assert.Equal(id.ToString(), rig.Receiver.Only.Headers["Idempotency-Key"]);
        Assert.DoesNotContain("/answer/", rig.Receiver.Only.Body, StringComparison.Ordinal);
        Assert.Equal([$"Delivered Webhook to {webhook.Name}: sent"], await rig.Timeline());
        await using var db = rig.Database.Open();
        Assert.Equal(DeliveryState.Sent, (await db.DeliveryEvents.SingleAsync(e => e.DeliveryId == id)).State);
    }

    [Fact]
    public async Task A_page_to_a_person_answers_by_its_link_and_no_timeline_shows_the_number()
    {
        await using var rig = await DispatchRig.Start();
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, """{"sid":"SM1"}""");
        var contact = await rig.Contact(rig.Alice, ChannelKind.Sms, await rig.Channel(ChannelKind.Sms), "+491701234567");
        var id = await rig.Page(contact);
        await rig.Node().Drain(default);
        Assert.Equal("+491701234567", rig.Receiver.Only.Form["To"]);
        Assert.EndsWith("https://status.example.com" + rig.Links.PathFor(id), rig.Receiver.Only.Form["Body"], StringComparison.Ordinal);
        Assert.Equal("SM1", (await rig.Find(id)).ProviderId);
        Assert.Equal(["Delivered SMS to Alice (…67): sent"], await rig.Timeline());
    }

    [Fact]
    public async Task What_is_put_off_waits_as_long_as_it_is_told_and_is_given_up_after_its_last_attempt()
    {
        await using var rig = await DispatchRig.Start();
        var id = await rig.Page(await rig.Channel(ChannelKind.Discord));
        rig.Receiver.Answer = _ => ReceiverServer.Says(429, "{}", "Retry-After: 300\r\n");
        await rig.Node().Drain(default);
        var later = await rig.Find(id);
        Assert.Equal((DeliveryState.Waiting, 1, null), (later.State, later.Attempts, later.ClaimedBy));
        Assert.InRange(later.DueAt - later.CreatedAt, TimeSpan.FromSeconds(295), TimeSpan.FromSeconds(330));
        rig.Receiver.Answer = _ => ReceiverServer.Says(500, "");
        await rig.MakeDue();
        await rig.Node().Drain(default);
        Assert.InRange((await rig.Find(id)).DueAt - TimeProvider.System.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromSeconds(18));
        for (var i = 0; i < 4; i++)
        {
            await rig.MakeDue();
            Assert.Equal(1, await rig.Node().Drain(default));
        }
        var failed = await rig.Find(id);
        Assert.Equal((DeliveryState.Failed, Delivery.MostAttempts), (failed.State, failed.Attempts));
        Assert.StartsWith("NotDelivered Discord to ", Assert.Single(await rig.Timeline()), StringComparison.Ordinal);
        Assert.DoesNotContain(Kinds.Mark, string.Join('\n', rig.Log.All.Select(l => l.Text)) + failed.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public void Waits_grow_threefold_with_some_chance_in_them()
    {
        using var node = new DeliveryDispatcher(null!, null!, null!, null!, TimeProvider.System, null!);
        foreach (var (attempt, seconds) in ((int, double)[])[(1, 5), (2, 15), (3, 45), (4, 135), (5, 405), (6, 600), (50, 600)]) Assert.InRange(node.WaitAfter(attempt).TotalSeconds, seconds * 0.8, seconds * 1.2);
        Assert.True(Enumerable.Range(0, 20).Select(_ => node.WaitAfter(1)).Distinct().Count() > 1);
    }

    [Fact]
    public async Task A_node_that_dies_between_claim_and_send_is_followed_by_another_and_what_it_writes_late_does_not_count()
    {
        await using var rig = await DispatchRig.Start();
        var id = await rig.Page(await rig.Channel(ChannelKind.Webhook));
        var (claim, _) = (await new DeliveryClaims(rig.Database.Database, new NodeName("dead")).Next([], default))!.Value;
        Assert.Equal(id, claim!.Lead);
        Assert.Equal(0, await rig.Node("b").Drain(default));
        await rig.MakeDue();
        Assert.Equal(1, await rig.Node("b").Drain(default));
        Assert.Equal((DeliveryState.Sent, 2), ((await rig.Find(id)).State, (await rig.Find(id)).Attempts));
        await rig.Records("dead").Failed(claim, "late", default);
        Assert.Equal(DeliveryState.Sent, (await rig.Find(id)).State);
        // It came twice at the most, and by its key whoever got it can tell.
        Assert.Equal(id.ToString(), rig.Receiver.Only.Headers["Idempotency-Key"]);
    }

    [Fact]
    public async Task Many_nodes_send_each_message_once()
    {
        await using var rig = await DispatchRig.Start();
        var channel = await rig.Channel(ChannelKind.Webhook, new(PerMinute: 1_000));
        // Test messages do not gather: each is its own.
        for (var i = 0; i < 30; i++) await rig.Page(channel, isTest: true);
        var tried = await Task.WhenAll(rig.Node("a").Drain(default), rig.Node("b").Drain(default));
        Assert.Equal(30, tried.Sum());
        Assert.Equal(30, rig.Receiver.All.Select(r => r.Headers["Idempotency-Key"]).Distinct().Count());
        Assert.Equal(30, rig.Receiver.All.Count);
        Assert.All(rig.Receiver.All, r => Assert.Contains("\"title\":\"TEST: P1", r.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_channel_that_hangs_keeps_no_other_one_from_sending()
    {
        await using var rig = await DispatchRig.Start();
        await using var other = new ReceiverServer();
        rig.Receiver.Answer = _ => null;
        var (hanging, good) = (await rig.Channel(ChannelKind.Webhook), await rig.Channel(ChannelKind.Webhook, url: other.Url));
        for (var i = 0; i < 10; i++) await rig.Page(hanging, isTest: true);
        var id = await rig.Page(good);
        using var stop = new CancellationTokenSource();
        var draining = rig.Node().Drain(stop.Token);
        await Soon.Comes(async () => (await rig.Find(id)).State == DeliveryState.Sent, "the message by the channel that works");
        await Soon.Comes(() => rig.Receiver.All.Count == 3, "as many as one channel may have on their way");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
    }

    [Fact]
    public async Task What_somebody_acknowledges_while_it_is_sent_was_sent()
    {
        await using var rig = await DispatchRig.Start();
        var id = await rig.Page(await rig.Channel(ChannelKind.Webhook));
        var (claim, _) = (await new DeliveryClaims(rig.Database.Database, new NodeName("a")).Next([], default))!.Value;
        await rig.Run("update deliveries set state = 'Dropped', ended_at = clock_timestamp()");
        await rig.Records().Later(claim!, "not now", TimeSpan.FromSeconds(5), default);
        Assert.Equal(DeliveryState.Dropped, (await rig.Find(id)).State);
        await rig.Records().Taken(claim!, null, default);
        Assert.Equal(DeliveryState.Sent, (await rig.Find(id)).State);
    }

    [Fact]
    public async Task Nothing_goes_out_while_a_restored_copy_holds_it_nor_by_a_channel_that_is_switched_off()
    {
        await using var rig = await DispatchRig.Start();
        var channel = await rig.Channel(ChannelKind.Webhook);
        var id = await rig.Page(channel);
        await rig.Run("update deliveries set due_at = 'infinity'");
        Assert.Equal(0, await rig.Node().Drain(default));
        Assert.Equal((0, null), await rig.Node().Look(default));
        await rig.Run("update deliveries set due_at = clock_timestamp(); update channels set disabled_at = clock_timestamp()");
        Assert.Equal(1, await rig.Node().Drain(default));
        Assert.Equal((DeliveryState.Failed, "Its channel is switched off."), ((await rig.Find(id)).State, (await rig.Find(id)).LastError));
        Assert.Empty(rig.Receiver.All);
        await rig.Run("update channels set disabled_at = null");
        await rig.Page(channel);
        await rig.Node().Drain(default);
        Assert.Single(rig.Receiver.All);
    }

    [Fact]
    public async Task One_refused_recipient_is_for_good_and_the_mail_of_another_comes_with_its_link()
    {
        await using var server = await MailServerProcess.Start();
        await using var rig = await DispatchRig.Start(new MailServer("127.0.0.1", server.Port, null, null, false, "portal@example.com"));
        var never = await rig.Queue(new(ChannelKind.Email, null, null, null, "never@example.com"));
        var good = await rig.Queue(new(ChannelKind.Email, null, rig.Bob.Id, null, "bob@example.com"));
        var later = await rig.Queue(new(ChannelKind.Email, null, null, null, "later-1@example.com"));
        await rig.Node().Drain(default);
        Assert.Equal((DeliveryState.Failed, DeliveryState.Sent, DeliveryState.Waiting), ((await rig.Find(never)).State, (await rig.Find(good)).State, (await rig.Find(later)).State));
        Assert.Contains("550", (await rig.Find(never)).LastError, StringComparison.Ordinal);
        var letter = Assert.Single(await Soon.Reads(() => Task.FromResult(server.Letters), l => l.Count == 1, "the mail"));
        Assert.Contains(rig.Links.PathFor(good), letter.Raw.Replace("=\r\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
