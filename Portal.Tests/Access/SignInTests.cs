using System.Net;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public sealed class SignInTests : IClassFixture<TestDatabase>, IDisposable
{
    readonly TestDatabase database;
    readonly FakeClock clock = new();
    readonly Settlers settlers;

    public SignInTests(TestDatabase database) => (this.database, settlers) = (database, new Settlers(database.Contexts, clock));

    public void Dispose() => settlers.Dispose();

    Task<SignIn.Outcome> Attempt(string email, string password, Visitor? from = null) => settlers.SignIn.Execute(new(email, password), from ?? Settlers.Here, default);

    // Every test stands in a network of its own, since the cap of a network is shared by all accounts.
    static Visitor Network(int a) => new(new IPAddress([203, 0, 113, (byte)a]), null);

    [Fact]
    public async Task The_right_password_starts_a_session_of_which_only_the_hash_is_stored()
    {
        var alice = await settlers.Settle("Alice", Role.Admin);
        var secret = Assert.IsType<SignIn.Started>(await Attempt($"  {alice.Email.ToUpperInvariant()} ", Settlers.Password, Network(1))).Secret;
        await using var db = database.Open();
        var session = await db.Sessions.SingleAsync(s => s.PersonId == alice.Id);
        Assert.Equal(Secret.HashOf(secret), session.SecretHash);
        Assert.Equal("203.0.113.1", session.From);
        var entry = Assert.Single(await Settlers.AuditOf(db, alice.Id.ToString()));
        Assert.Equal(("person.signed-in", "203.0.113.1"), (entry.Action, entry.From));
        Assert.Equal(clock.GetUtcNow(), (await db.People.SingleAsync(p => p.Id == alice.Id)).LastSignInAt);
        Assert.Equal(alice.Id, (await settlers.Sessions.Find(secret, default))!.Person);
    }

    [Fact]
    public async Task A_wrong_password_an_unknown_address_and_a_closed_account_are_answered_alike_and_cost_the_same()
    {
        var (alice, gone, invited) = (await settlers.Settle("Alice", Role.Staff), await settlers.Settle("Gone", Role.Staff), await settlers.Settle("Invited", Role.Staff, password: null));
        await using (var db = database.Open())
        {
            db.Attach(gone);
            gone.Deactivate(clock.GetUtcNow());
            await db.SaveChangesAsync();
        }
        foreach (var (email, password) in new[] { (alice.Email, "wrong"), (alice.Email, ""), (alice.Email, new string('x', 5000)), ("nobody@example.com", "wrong"), ("", ""), (gone.Email, Settlers.Password), (invited.Email, Settlers.Password) })
        {
            var before = settlers.Hasher.Compared;
            Assert.IsType<SignIn.Refused>(await Attempt(email, password, Network(2)));
            Assert.Equal(before + 1, settlers.Hasher.Compared);
        }
    }

    [Fact]
    public async Task Whoever_guesses_must_wait_and_nobody_elsewhere_does()
    {
        var alice = await settlers.Settle("Alice", Role.Staff);
        for (var i = 0; i < SignInThrottle.FreeFailures; i++)
            Assert.IsType<SignIn.Refused>(await Attempt(alice.Email, "guess", Network(3)));
        var wait = Assert.IsType<SignIn.Wait>(await Attempt(alice.Email, Settlers.Password, Network(3)));
        Assert.Equal(clock.GetUtcNow().AddSeconds(15), wait.Until);
        Assert.IsType<SignIn.Started>(await Attempt(alice.Email, Settlers.Password, Settlers.Elsewhere));
        Assert.IsType<SignIn.Wait>(await Attempt(alice.Email, Settlers.Password, Network(3)));
        clock.FastForward(TimeSpan.FromSeconds(16));
        Assert.IsType<SignIn.Started>(await Attempt(alice.Email, Settlers.Password, Network(3)));
        // It starts afresh.
        Assert.IsType<SignIn.Refused>(await Attempt(alice.Email, "guess", Network(3)));
        Assert.IsType<SignIn.Started>(await Attempt(alice.Email, Settlers.Password, Network(3)));
    }

    [Fact]
    public async Task Many_guesses_at_once_gain_nothing()
    {
        var alice = await settlers.Settle("Alice", Role.Staff);
        var before = settlers.Hasher.Compared;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 12).Select(async _ =>
        {
            try { return await Attempt(alice.Email, "guess", Network(4)); }
            catch (TooBusyException) { return null; }
        }));
        Assert.InRange(settlers.Hasher.Compared - before, 1, SignInThrottle.FreeFailures);
        Assert.Contains(outcomes, o => o is SignIn.Wait or null);
    }

    [Fact]
    public async Task A_network_that_tries_many_accounts_must_wait_except_for_who_was_signed_in_from_there()
    {
        var (alice, bob) = (await settlers.Settle("Alice", Role.Staff), await settlers.Settle("Bob", Role.Staff));
        await settlers.SignedIn(alice, Network(5));
        for (var i = 0; i < SignInThrottle.FreeFailuresOfAddress; i++)
            Assert.IsType<SignIn.Refused>(await Attempt($"guess{i}@example.com", "guess", Network(5)));
        Assert.IsType<SignIn.Wait>(await Attempt(bob.Email, Settlers.Password, Network(5)));
        Assert.IsType<SignIn.Started>(await Attempt(alice.Email, Settlers.Password, Network(5)));
        Assert.IsType<SignIn.Started>(await Attempt(bob.Email, Settlers.Password, Settlers.Elsewhere));
    }

    [Fact]
    public async Task Guessing_is_in_the_audit_log_once_and_without_what_was_typed()
    {
        await using var db = database.Open();
        for (var i = 0; i < SignInThrottle.FreeFailures + 3; i++) await Attempt("my-secret-password", "guess", Network(6));
        var entry = Assert.Single(await db.Audit.Where(a => a.Action == "sign-in.throttled" && a.From == "203.0.113.6").ToListAsync());
        Assert.DoesNotContain("my-secret-password", entry.Summary + entry.Subject + entry.ActorName, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hash_of_an_older_cost_is_renewed_at_the_next_sign_in()
    {
        var alice = await settlers.Settle("Alice", Role.Staff);
        using var costlier = new Passwords(new CountingHasher(2_000), clock);
        var signIn = new SignIn(database.Contexts, clock, costlier, new SignInBrake(database.Contexts));
        Assert.IsType<SignIn.Started>(await signIn.Execute(new(alice.Email, Settlers.Password), Network(7), default));
        await using var db = database.Open();
        var renewed = (await db.People.SingleAsync(p => p.Id == alice.Id)).PasswordHash;
        Assert.NotEqual(alice.PasswordHash, renewed);
        Assert.Equal(Passwords.Answer.Right, await costlier.Verify(renewed, Settlers.Password, Network(7), default));
    }

    [Fact]
    public async Task Two_devices_may_sign_in_at_the_same_moment()
    {
        var alice = await settlers.Settle("Alice", Role.Staff);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Attempt(alice.Email, Settlers.Password, Network(8))));
        Assert.All(outcomes, o => Assert.IsType<SignIn.Started>(o));
    }

    [Fact]
    public async Task A_session_is_seen_at_most_once_a_minute_and_ends_when_it_was_idle_for_half_a_day()
    {
        var alice = await settlers.Settle("Alice", Role.Staff);
        var secret = await settlers.SignedIn(alice, Network(9));
        async Task<DateTimeOffset> LastSeen()
        {
            await using var db = database.Open();
            return (await db.Sessions.SingleAsync(s => s.PersonId == alice.Id)).LastSeenAt;
        }
        var start = clock.GetUtcNow();
        clock.FastForward(TimeSpan.FromSeconds(59));
        Assert.NotNull(await settlers.Sessions.Find(secret, default));
        Assert.Equal(start, await LastSeen());
        clock.FastForward(TimeSpan.FromSeconds(6));
        Assert.NotNull(await settlers.Sessions.Find(secret, default));
        Assert.Equal(clock.GetUtcNow(), await LastSeen());
        clock.FastForward(Session.IdleLifetime - TimeSpan.FromMinutes(1));
        Assert.NotNull(await settlers.Sessions.Find(secret, default));
        clock.FastForward(Session.IdleLifetime);
        Assert.Null(await settlers.Sessions.Find(secret, default));
    }

    [Fact]
    public async Task A_session_that_is_used_every_hour_ends_after_a_week_all_the_same()
    {
        var secret = await settlers.SignedIn(await settlers.Settle("Alice", Role.Staff), Network(10));
        for (var hour = 1; hour < 24 * 7; hour++)
        {
            clock.FastForward(TimeSpan.FromHours(1));
            Assert.NotNull(await settlers.Sessions.Find(secret, default));
        }
        clock.FastForward(TimeSpan.FromHours(1));
        Assert.Null(await settlers.Sessions.Find(secret, default));
    }

    [Fact]
    public async Task What_is_stale_is_cleared_away_and_what_counts_stays()
    {
        var alice = await settlers.Settle("Alice", Role.Staff);
        await settlers.SignedIn(alice, Network(11));
        await Attempt(alice.Email, "guess", Network(11));
        var clearing = new ClearStaleAccess(database.Database, clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<ClearStaleAccess>.Instance);
        await clearing.Clear(default);
        await using var db = database.Open();
        Assert.True(await db.Sessions.AnyAsync(s => s.PersonId == alice.Id));
        Assert.True(await db.SignInThrottles.AnyAsync());
        clock.FastForward(TimeSpan.FromDays(38));
        await clearing.Clear(default);
        Assert.False(await db.Sessions.AnyAsync(s => s.PersonId == alice.Id));
        Assert.False(await db.SignInThrottles.AnyAsync());
    }
}
