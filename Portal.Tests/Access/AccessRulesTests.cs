using System.Net;
using Portal.Account;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;

namespace Portal.Tests.Access;

public class AccessRulesTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static Person Somebody(Role role, bool withPassword = true)
    {
        var person = new Person("Alice", "Alice@Example.com ", role, Now);
        if (withPassword) person.SetPasswordHash("x");
        return person;
    }

    [Fact]
    public void A_session_ends_when_idle_when_old_and_when_revoked()
    {
        var session = new Session(new PersonId(Guid.Empty), [], null, null, Now);
        Assert.True(session.IsLive(Now + Session.IdleLifetime - TimeSpan.FromSeconds(1)));
        Assert.False(session.IsLive(Now + Session.IdleLifetime));
        Assert.False(session.IsLive(Now + Session.Lifetime));
        session.Revoke(Now);
        Assert.False(session.IsLive(Now));
    }

    [Fact]
    public void Four_failures_are_free_then_each_doubles_the_wait_up_to_a_quarter_of_an_hour()
    {
        var throttle = new SignInThrottle([1]);
        for (var i = 0; i < 4; i++) throttle.Fail(Now);
        Assert.False(throttle.IsBlocked(Now));
        throttle.Fail(Now);
        Assert.Equal(Now.AddSeconds(15), throttle.BlockedUntil);
        throttle.Fail(Now.AddSeconds(15));
        Assert.Equal(Now.AddSeconds(45), throttle.BlockedUntil);
        for (var i = 0; i < 40; i++) throttle.Fail(Now);
        Assert.Equal(Now + SignInThrottle.LongestWait, throttle.BlockedUntil);
        throttle.Fail(Now + SignInThrottle.Memory + TimeSpan.FromSeconds(1));
        Assert.Equal(1, throttle.Failures);
    }

    [Fact]
    public void The_last_administrator_who_can_sign_in_must_stay_one()
    {
        var (leaving, staff, invited, other) = (Somebody(Role.Admin), Somebody(Role.Staff), Somebody(Role.Admin, withPassword: false), Somebody(Role.Admin));
        leaving.RequireSuccessor([]);
        leaving.Assign(Role.Staff);
        leaving.RequireSuccessor([staff, invited, other]);
        Assert.Throws<DomainException>(() => leaving.RequireSuccessor([staff, invited]));
        other.Deactivate(Now);
        Assert.Throws<DomainException>(() => leaving.RequireSuccessor([other]));
    }

    [Fact]
    public void A_link_works_once_and_for_a_day()
    {
        var link = new OneTimeLink(LinkPurpose.Invitation, null, [1], Now);
        Assert.False(link.IsUsable(Now + OneTimeLink.Lifetime));
        link.Use(Now + OneTimeLink.Lifetime - TimeSpan.FromSeconds(1));
        Assert.Throws<DomainException>(() => link.Use(Now));
    }

    [Fact]
    public void Every_permission_has_a_scope_with_words_and_administrators_have_them_all()
    {
        foreach (var permission in Enum.GetValues<Permission>())
        {
            Assert.Contains(permission, Permissions.OfScopes([Permissions.ScopeOf(permission)]));
            Assert.NotEmpty(Permissions.WordsFor(Permissions.ScopeOf(permission)));
            Assert.Contains(permission, Permissions.Of(Role.Admin));
        }
        Assert.Equal(Permissions.Scopes.Count, Permissions.Scopes.Distinct().Count());
        Assert.DoesNotContain(Permission.ManagePeople, Permissions.Of(Role.Staff));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("")]
    [InlineData(null)]
    public void A_short_password_is_refused(string? password) => Assert.Throws<DomainException>(() => Person.ValidPassword(password));

    [Fact]
    public void An_address_is_kept_in_lower_case_and_must_look_like_one()
    {
        Assert.Equal("alice@example.com", Somebody(Role.Staff).Email);
        foreach (var wrong in new[] { "alice", "@example.com", "alice@", "a@b@c", "a b@c", "" })
            Assert.Equal("email", Assert.Throws<DomainException>(() => Person.ValidEmail(wrong)).Field);
    }

    [Theory]
    [InlineData("/ops/incidents?x=1", "/ops/incidents?x=1")]
    [InlineData("//evil.example", "/ops")]
    [InlineData("/\\evil.example", "/ops")]
    [InlineData("/a\\..\\b", "/ops")]
    [InlineData("https://evil.example/", "/ops")]
    [InlineData("javascript:alert(1)", "/ops")]
    [InlineData("/\t/evil.example", "/ops")]
    [InlineData("/ops/ö", "/ops")]
    [InlineData("/ops incidents", "/ops")]
    [InlineData("ops", "/ops")]
    [InlineData("", "/ops")]
    [InlineData(null, "/ops")]
    public void Signing_in_leads_only_to_paths_of_this_portal(string? wanted, string expected) =>
        Assert.Equal(expected, AccountAnswers.LocalPath(wanted, "/ops"));

    [Fact]
    public void Neighbours_in_one_ipv6_network_count_as_one()
    {
        static string NetworkOf(string address) => new Visitor(IPAddress.Parse(address), null).Network;
        Assert.Equal(NetworkOf("2001:db8:1:2::1"), NetworkOf("2001:db8:1:2:ffff::9"));
        Assert.NotEqual(NetworkOf("2001:db8:1:2::1"), NetworkOf("2001:db8:1:3::1"));
        Assert.Equal("192.0.2.1", NetworkOf("::ffff:192.0.2.1"));
        Assert.NotEqual(NetworkOf("192.0.2.1"), NetworkOf("192.0.2.2"));
    }

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/18.0 Mobile Safari/604", "Safari on iPhone")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux")]
    [InlineData("curl/8.0", "curl")]
    [InlineData("", "Unknown device")]
    public void A_device_is_named_in_words(string userAgent, string expected) => Assert.Equal(expected, OwnSessions.DeviceOf(userAgent));

    [Fact]
    public void The_start_of_a_key_tells_keys_apart_and_no_more()
    {
        var key = Secret.NewApiKey();
        Assert.Equal(Secret.ApiKeyPrefix.Length + 43, key.Length);
        Assert.Equal(key[..11] + "…", Secret.StartOf(key));
        Assert.Equal("abcd…", Secret.StartOf("abcdefghijklmnop"));
        Assert.Throws<DomainException>(() => new ApiKey("Robot", ["everything"], "", [], "Alice", Now));
        Assert.Throws<DomainException>(() => new ApiKey("Robot", [], "", [], "Alice", Now));
    }
}
