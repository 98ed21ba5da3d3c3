using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public sealed class OwnAccountTests : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly TestDatabase database;
    readonly FakeClock clock = new();
    readonly Settlers settlers;
    Person bob = null!;

    public OwnAccountTests(TestDatabase database) => (this.database, settlers) = (database, new Settlers(database.Contexts, clock));

    public async Task InitializeAsync() => bob = await settlers.Settle("Bob", Role.Staff);

    public Task DisposeAsync()
    {
        settlers.Dispose();
        return Task.CompletedTask;
    }

    Actor Bob => Settlers.ActorOf(bob);

    ChangeOwnPassword Change => new(database.Contexts, clock, settlers.Passwords, new SignInBrake(database.Contexts), settlers.Sessions);

    async Task<SignedInSessions.SignedIn?> Find(string secret) => await settlers.Sessions.Find(secret, default);

    [Fact]
    public async Task A_new_password_ends_every_session_but_this_one()
    {
        var (here, there) = (await settlers.SignedIn(bob), await settlers.SignedIn(bob, Settlers.Elsewhere));
        var current = (await Find(here))!.Session;
        var wrong = await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new("not it", "another long password", "another long password", current), Bob, Settlers.Here, default));
        Assert.Equal("current", wrong.Field);
        var differing = await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(Settlers.Password, "another long password", "another lang password", current), Bob, Settlers.Here, default));
        Assert.Equal("repeated", differing.Field);
        Assert.NotNull(await Find(there));
        await Change.Execute(new(Settlers.Password, "another long password", "another long password", current), Bob, Settlers.Here, default);
        Assert.NotNull(await Find(here));
        Assert.Null(await Find(there));
        Assert.IsType<SignIn.Refused>(await settlers.SignIn.Execute(new(bob.Email, Settlers.Password), Settlers.Elsewhere, default));
        Assert.IsType<SignIn.Started>(await settlers.SignIn.Execute(new(bob.Email, "another long password"), Settlers.Elsewhere, default));
    }

    [Fact]
    public async Task A_stolen_session_cannot_guess_the_password()
    {
        var current = (await Find(await settlers.SignedIn(bob)))!.Session;
        for (var i = 0; i < SignInThrottle.FreeFailures; i++)
            await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new($"guess {i}", "another long password", "another long password", current), Bob, Settlers.Here, default));
        var before = settlers.Hasher.Compared;
        await Assert.ThrowsAsync<DomainException>(() => Change.Execute(new(Settlers.Password, "another long password", "another long password", current), Bob, Settlers.Here, default));
        Assert.Equal(before, settlers.Hasher.Compared);
    }

    [Fact]
    public async Task Own_sessions_are_listed_and_ended_and_those_of_others_are_out_of_reach()
    {
        var (here, there) = (await settlers.SignedIn(bob), await settlers.SignedIn(bob, Settlers.Elsewhere));
        var (first, second) = ((await Find(here))!.Session, (await Find(there))!.Session);
        var account = (await new OwnSessions(database.Contexts, clock).Load(bob.Id, default))!;
        Assert.Equal(2, account.Sessions.Count);
        Assert.Contains(account.Sessions, s => s.Device == "Firefox on Linux" && s.From == "192.0.2.10");
        var revoke = new RevokeSession(database.Contexts, clock, settlers.Sessions);
        var mallory = Settlers.ActorOf(await settlers.Settle("Mallory", Role.Admin));
        await Assert.ThrowsAsync<NotFoundException>(() => revoke.Execute(first, false, mallory, default));
        await revoke.Execute(second, false, Bob, default);
        Assert.Null(await Find(there));
        Assert.NotNull(await Find(here));
        Assert.Equal(first, Assert.Single((await new OwnSessions(database.Contexts, clock).Load(bob.Id, default))!.Sessions).Id);
        await new RevokeOtherSessions(database.Contexts, clock, settlers.Sessions).Execute(Guid.Empty, Bob, default);
        Assert.Null(await Find(here));
    }

    [Fact]
    public async Task A_person_may_rename_themselves_and_a_key_has_no_account()
    {
        var rename = new ChangeOwnName(database.Contexts, clock, settlers.Sessions);
        await rename.Execute(" Robert <b> ", Bob, default);
        await using var db = database.Open();
        Assert.Equal("Robert <b>", (await db.People.SingleAsync(p => p.Id == bob.Id)).Name);
        await Assert.ThrowsAsync<DomainException>(() => rename.Execute("", Bob, default));
        await Assert.ThrowsAsync<ForbiddenException>(() => rename.Execute("X", new Actor(ActorKind.ApiKey, bob.Id.Value, "Robot", Permissions.Of(Role.Admin)), default));
    }
}
