using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

public sealed class CircuitIdentityTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task An_open_screen_follows_a_change_of_role_and_loses_its_person_when_they_are_deactivated()
    {
        using var settlers = new Settlers(database.Contexts, TimeProvider.System);
        var (alice, bob) = (await settlers.Settle("Alice", Role.Admin), await settlers.Settle("Bob", Role.Admin));
        var signedIn = (await settlers.Sessions.Find(await settlers.SignedIn(bob), default))!;
        var feed = new ChangeFeed(TimeProvider.System, NullLogger<ChangeFeed>.Instance);
        using var identity = new CircuitIdentity(NullLoggerFactory.Instance, settlers.Sessions, feed);
        identity.SetAuthenticationState(Task.FromResult(new AuthenticationState(signedIn.ToPrincipal("192.0.2.1"))));

        async Task<AuthenticationState> After(Func<Task> change, Func<AuthenticationState, bool> expected)
        {
            await change();
            feed.Publish("people");
            for (var deadline = Environment.TickCount64 + 20_000; ; await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System))
            {
                var state = await identity.GetAuthenticationStateAsync();
                if (expected(state)) return state;
                Assert.True(Environment.TickCount64 < deadline, "The screen did not follow.");
            }
        }

        await After(() => Task.CompletedTask, s => s.User.ToActor().May(Permission.ManagePeople));
        var demoted = await After(() => settlers.ChangePerson.Execute(new(bob.Id, Role: Role.Staff), Settlers.ActorOf(alice), default), s => !s.User.ToActor().May(Permission.ManagePeople));
        Assert.Equal("192.0.2.1", demoted.User.ToActor().From);
        var gone = await After(() => settlers.ChangePerson.Execute(new(bob.Id, Active: false), Settlers.ActorOf(alice), default), s => s.User.Identity?.IsAuthenticated != true);
        Assert.Throws<ForbiddenException>(() => gone.User.ToActor());
    }
}
