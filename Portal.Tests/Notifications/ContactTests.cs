using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Monitoring;
using Portal.Features.Notifications;
using Portal.Tests.Support;

namespace Portal.Tests.Notifications;

/// <summary>A person's own ways: proved by a code, theirs alone.</summary>
public sealed class ContactTests : IAsyncLifetime
{
    readonly FakeClock clock = new(TimeProvider.System.GetUtcNow());
    DispatchRig rig = null!;

    public async Task InitializeAsync() => rig = await DispatchRig.Start();

    public async Task DisposeAsync() => await rig.DisposeAsync();

    static Actor ActorOf(Person person) => new(ActorKind.Person, person.Id.Value, person.Name, Permissions.Of(person.Role));

    AddContact Add => new(rig.Database.Contexts, rig.Book, clock);
    VerifyContact Verify => new(rig.Database.Contexts, clock);
    SendContactCode Send => new(rig.Database.Contexts, clock);

    async Task<string> Code()
    {
        await using var db = rig.Database.Open();
        return (await db.Deliveries.AsNoTracking().Where(d => d.Purpose == DeliveryPurpose.Code).OrderByDescending(d => d.CreatedAt).FirstAsync()).Body[..6];
    }

    async Task<Contact> Find(ContactId id)
    {
        await using var db = rig.Database.Open();
        return await db.Contacts.AsNoTracking().SingleAsync(c => c.Id == id);
    }

    [Fact]
    public async Task A_way_counts_once_the_code_that_was_sent_there_comes_back_and_the_code_is_kept_nowhere()
    {
        rig.Receiver.Answer = _ => ReceiverServer.Says(201, """{"sid":"SM1"}""");
        var channel = await rig.Channel(ChannelKind.Sms);
        var bob = ActorOf(rig.Bob);
        var id = await Add.Execute(new(ChannelKind.Sms, channel.Id, "+49 170 / 123 45 67", 2), bob, default);
        var code = await Code();
        Assert.Equal(("+491701234567", 2, false), ((await Find(id)).Address, (await Find(id)).AfterMinutes, (await Find(id)).IsVerified));
        await rig.Node().Drain(default);
        Assert.Contains($"{code} is your code", rig.Receiver.Only.Form["Body"], StringComparison.Ordinal);
        Assert.DoesNotContain("/answer/", rig.Receiver.Only.Form["Body"], StringComparison.Ordinal);
        await using (var db = rig.Database.Open()) Assert.Equal("", (await db.Deliveries.SingleAsync(d => d.Purpose == DeliveryPurpose.Code)).Body);
        var wrong = code == "000000" ? "000001" : "000000";
        Assert.Equal("code", (await Assert.ThrowsAsync<DomainException>(() => Verify.Execute(id, wrong, bob, default))).Field);
        Assert.Equal(1, (await Find(id)).Tries);
        await Verify.Execute(id, $" {code} ", bob, default);
        Assert.True((await Find(id)).IsVerified);
        var page = await new SendTestPage(rig.Database.Contexts, new TryBrake(clock), clock).Execute(id, bob, default);
        await rig.Node().Drain(default);
        Assert.Equal(DeliveryState.Sent, (await rig.Find(page)).State);
        Assert.Contains("TEST: this is how you are paged", rig.Receiver.All[^1].Form["Body"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Five_wrong_answers_or_a_quarter_of_an_hour_end_a_code_and_another_one_is_not_sent_at_once()
    {
        var bob = ActorOf(rig.Bob);
        var id = await Add.Execute(new(ChannelKind.Email, null, "pager@example.com", 0), bob, default);
        var code = await Code();
        await Assert.ThrowsAsync<TooOftenException>(() => Send.Execute(id, bob, default));
        var wrong = code == "000000" ? "000001" : "000000";
        for (var i = 0; i < Contact.MostTries; i++) await Assert.ThrowsAsync<DomainException>(() => Verify.Execute(id, wrong, bob, default));
        await Assert.ThrowsAsync<DomainException>(() => Verify.Execute(id, code, bob, default));
        clock.FastForward(TimeSpan.FromSeconds(31));
        await Send.Execute(id, bob, default);
        var second = await Code();
        clock.FastForward(Contact.CodeLifetime + TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<DomainException>(() => Verify.Execute(id, second, bob, default));
        await Send.Execute(id, bob, default);
        await Verify.Execute(id, await Code(), bob, default);
        Assert.True((await Find(id)).IsVerified);
    }

    [Fact]
    public async Task Nobody_touches_the_way_of_another_and_others_see_its_last_digits_only()
    {
        var (alice, bob) = (ActorOf(rig.Alice), ActorOf(rig.Bob));
        var channel = await rig.Channel(ChannelKind.Sms);
        var id = (await rig.Contact(rig.Bob, ChannelKind.Sms, channel, "+491701234567")).Id;
        await Assert.ThrowsAsync<NotFoundException>(() => Send.Execute(id, alice, default));
        await Assert.ThrowsAsync<NotFoundException>(() => Verify.Execute(id, "123456", alice, default));
        await Assert.ThrowsAsync<NotFoundException>(() => new RemoveContact(rig.Database.Contexts, clock).Execute(id, alice, default));
        await Assert.ThrowsAsync<NotFoundException>(() => new ChangeContact(rig.Database.Contexts, clock).Execute(id, 3, alice, default));
        var people = await new ReachOfPeople(rig.Database.Contexts).Load(alice, default);
        Assert.Equal(["SMS …67"], people.Single(p => p.Name == "Bob").Ways);
        Assert.True(people.Single(p => p.Name == "Alice").IsWarning);
        await Assert.ThrowsAsync<ForbiddenException>(() => new ReachOfPeople(rig.Database.Contexts).Load(bob, default));
        await new ChangeContact(rig.Database.Contexts, clock).Execute(id, 3, bob, default);
        Assert.Equal(3, (await Find(id)).AfterMinutes);
        await new RemoveContact(rig.Database.Contexts, clock).Execute(id, bob, default);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Find(id));
        await using var db = rig.Database.Open();
        Assert.DoesNotContain(await db.Audit.Select(a => a.Summary).ToListAsync(), s => s.Contains("1701234", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(ChannelKind.Slack, "x", "kind")]
    [InlineData(ChannelKind.Sms, "+491701234567", "channel")]
    [InlineData(ChannelKind.Email, "nobody", "email")]
    public async Task A_way_that_cannot_be_used_is_refused(ChannelKind kind, string address, string field) =>
        Assert.Equal(field, (await Assert.ThrowsAsync<DomainException>(() => Add.Execute(new(kind, null, address, 0), ActorOf(rig.Bob), default))).Field);
}
