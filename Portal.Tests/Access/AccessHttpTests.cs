using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

/// <summary>Sign-in, set-up, account and API as a browser and a program meet them.</summary>
public sealed class AccessHttpTests(PortalHost host) : IClassFixture<PortalHost>, IDisposable
{
    readonly Settlers settlers = new(host.Database.Contexts, TimeProvider.System);

    public void Dispose() => settlers.Dispose();

    /// <summary>A browser: keeps cookies, follows nothing, and can be anybody's.</summary>
    Browser Open() => new(host.Client(cookies: true));

    async Task<(Browser Browser, Person Person)> SignedIn(string name, Role role)
    {
        var person = await settlers.Settle(name, role);
        var browser = Open();
        var answer = await browser.Post("/login", new() { ["email"] = person.Email, ["password"] = Settlers.Password });
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return (browser, person);
    }

    async Task<string> Key(params string[] scopes)
    {
        var secret = Secret.NewApiKey();
        await using var db = host.Database.Open();
        db.Add(new ApiKey("Robot", scopes, Secret.StartOf(secret), Secret.HashOf(secret), "Alice", TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
        return secret;
    }

    [Fact]
    public async Task The_cookie_is_out_of_reach_of_scripts_and_other_sites_and_holds_nothing_but_a_secret()
    {
        var person = await settlers.Settle("Alice", Role.Admin);
        using var client = host.Client();
        var browser = new Browser(client);
        var answer = await browser.Post("/login", new() { ["email"] = person.Email, ["password"] = Settlers.Password });
        var cookie = answer.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith("Portal.Session=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secure", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(43, cookie["Portal.Session=".Length..cookie.IndexOf(';', StringComparison.Ordinal)].Length);
    }

    [Fact]
    public async Task Signing_in_leads_back_to_where_one_wanted_to_go_and_never_elsewhere()
    {
        var person = await settlers.Settle("Alice", Role.Admin);
        foreach (var (wanted, expected) in new[] { ("/account?x=1", "/account?x=1"), ("//evil.example/", "/ops"), ("https://evil.example/", "/ops"), ("/\\evil.example", "/ops") })
        {
            var browser = Open();
            var form = await browser.Get($"/login?returnUrl={Uri.EscapeDataString(wanted)}");
            Assert.DoesNotContain("evil", form, StringComparison.Ordinal);
            var answer = await browser.Post("/login", new() { ["email"] = person.Email, ["password"] = Settlers.Password, ["returnUrl"] = wanted });
            Assert.Equal(expected, answer.Headers.Location?.OriginalString);
            // Whoever is signed in already is sent on, to the same places.
            var again = await browser.Client.GetAsync(new Uri($"/login?returnUrl={Uri.EscapeDataString(wanted)}", UriKind.Relative));
            Assert.Equal(expected, again.Headers.Location?.OriginalString);
        }
    }

    [Fact]
    public async Task A_refused_sign_in_keeps_the_address_and_drops_the_password_and_says_the_same_to_all()
    {
        var person = await settlers.Settle("Alice", Role.Admin);
        List<string> pages = [];
        foreach (var email in new[] { person.Email, "nobody@example.com" })
        {
            var answer = await Open().Post("/login", new() { ["email"] = email, ["password"] = "<b>wrong</b> password" });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            var page = await answer.Content.ReadAsStringAsync();
            Assert.Contains($"value=\"{email}\"", page, StringComparison.Ordinal);
            Assert.DoesNotContain("wrong</b>", page, StringComparison.Ordinal);
            pages.Add(Browser.TokenField().Replace(page, "").Replace(email, "", StringComparison.Ordinal));
        }
        Assert.Equal(pages[0], pages[1]);
    }

    [Fact]
    public async Task A_form_that_did_not_come_from_our_page_does_nothing()
    {
        var person = await settlers.Settle("Alice", Role.Admin);
        using var client = host.Client();
        using var body = new FormUrlEncodedContent(new Dictionary<string, string> { ["email"] = person.Email, ["password"] = Settlers.Password });
        var answer = await client.PostAsync(new Uri("/login", UriKind.Relative), body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.DoesNotContain(Cookies(answer), c => c.StartsWith("Portal.Session", StringComparison.Ordinal));
        Assert.Contains(person.Email, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var json = JsonContent.Create(new { email = person.Email });
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync(new Uri("/login", UriKind.Relative), json)).StatusCode);
    }

    static IEnumerable<string> Cookies(HttpResponseMessage answer) => answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [];

    [Fact]
    public async Task Account_pages_run_no_script_but_the_themes_are_kept_by_nobody_and_leak_no_address()
    {
        foreach (var path in new[] { "/login", "/setup?token=abc", "/setup" })
        {
            var answer = await Open().Client.GetAsync(new Uri(path, UriKind.Relative));
            var page = await answer.Content.ReadAsStringAsync();
            Assert.DoesNotContain("<script", page.Replace("<script src=\"/assets/theme.js\"></script>", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("style=", page, StringComparison.OrdinalIgnoreCase);
            Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
            Assert.Contains("no-store", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.StartsWith("default-src 'none'", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("%00'; drop table sessions; --")]
    public async Task A_forged_cookie_opens_nothing(string cookie)
    {
        using var client = host.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"Portal.Session={cookie}");
        var answer = await client.GetAsync(new Uri("/account", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/login?returnUrl=%2Faccount", answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task A_session_that_is_revoked_mid_way_ends_at_once()
    {
        var (first, person) = await SignedIn("Bob", Role.Staff);
        var second = Open();
        await second.Post("/login", new() { ["email"] = person.Email, ["password"] = Settlers.Password });
        Assert.Equal(HttpStatusCode.OK, (await second.Client.GetAsync(new Uri("/account", UriKind.Relative))).StatusCode);
        await first.Get("/account");
        var answer = await first.Post("/account/sessions/revoke-others", [], from: "/account");
        Assert.Equal("/account?done=sessions", answer.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Redirect, (await second.Client.GetAsync(new Uri("/account", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await first.Client.GetAsync(new Uri("/account", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Whoever_is_deactivated_is_out_with_the_next_request()
    {
        var (browser, person) = await SignedIn("Bob", Role.Staff);
        var alice = await settlers.Settle("Alice", Role.Admin);
        Assert.Equal(HttpStatusCode.OK, (await browser.Client.GetAsync(new Uri("/account", UriKind.Relative))).StatusCode);
        await host.Get<ChangePerson>().Execute(new(person.Id, Active: false), Settlers.ActorOf(alice), default);
        Assert.Equal(HttpStatusCode.Redirect, (await browser.Client.GetAsync(new Uri("/account", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_only_our_own_pages_can_do_it()
    {
        var (browser, person) = await SignedIn("Bob", Role.Staff);
        foreach (var (header, value) in new[] { ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"), ("Origin", "null") })
        {
            using var forged = new HttpRequestMessage(HttpMethod.Post, "/logout");
            forged.Headers.Add(header, value);
            Assert.Equal(HttpStatusCode.Forbidden, (await browser.Client.SendAsync(forged)).StatusCode);
        }
        var answer = await browser.Client.PostAsync(new Uri("/logout", UriKind.Relative), null);
        Assert.Equal("/login?done", answer.Headers.Location?.OriginalString);
        Assert.Contains("You are signed out.", await browser.Get("/login?done"), StringComparison.Ordinal);
        await using var db = host.Database.Open();
        Assert.NotNull((await db.Sessions.SingleAsync(s => s.PersonId == person.Id)).RevokedAt);
        Assert.Contains(await Settlers.AuditOf(db, person.Id.ToString()), a => a.Action == "person.signed-out");
    }

    [Fact]
    public async Task The_set_up_page_makes_the_account_on_post_only_and_once()
    {
        var alice = await settlers.Settle("Alice", Role.Admin);
        var link = await host.Get<AddPerson>().Execute(new("Dora <script>", Settlers.NewEmail("Dora"), Role.Staff), Settlers.ActorOf(alice), default);
        var path = new Uri(link.Url).PathAndQuery;
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Get, HttpMethod.Head })
        {
            using var look = new HttpRequestMessage(method, path);
            using var client = host.Client();
            Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(look)).StatusCode);
        }
        var browser = Open();
        var page = await browser.Get(path);
        Assert.Contains("Dora &lt;script&gt;", page, StringComparison.Ordinal);
        var short_ = await browser.Post("/setup", new() { ["token"] = Settlers.TokenOf(path), ["password"] = "short", ["repeated"] = "short" }, from: path);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, short_.StatusCode);
        Assert.Contains("id=\"password-error\"", await short_.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var done = await browser.Post("/setup", new() { ["token"] = Settlers.TokenOf(path), ["password"] = Settlers.Password, ["repeated"] = Settlers.Password }, from: path);
        Assert.Equal((HttpStatusCode.SeeOther, "/ops"), (done.StatusCode, done.Headers.Location?.OriginalString));
        Assert.Contains("Your account", await browser.Get("/account"), StringComparison.Ordinal);
        var again = await browser.Client.GetAsync(new Uri(path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.Gone, again.StatusCode);
        Assert.Contains("href=\"/login\"", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("The portal is set up", await browser.Get("/setup"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_reset_the_person_still_has_to_sign_in_with_a_link_that_was_made_again_too()
    {
        var alice = await settlers.Settle("Alice", Role.Admin);
        var (_, person) = await SignedIn("Erin", Role.Staff);
        await host.Get<IssueLink>().Execute(person.Id, Settlers.ActorOf(alice), default);
        var link = await host.Get<IssueLink>().Execute(person.Id, Settlers.ActorOf(alice), default);
        var path = new Uri(link.Url).PathAndQuery;
        var browser = Open();
        var done = await browser.Post("/setup", new() { ["token"] = Settlers.TokenOf(path), ["password"] = "another long password", ["repeated"] = "another long password" }, from: path);
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        Assert.Contains("href=\"/login\"", await done.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.StartsWith("/login", (await browser.Client.GetAsync(new Uri("/account", UriKind.Relative))).Headers.Location?.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Name_and_password_are_changed_and_what_was_typed_comes_back_when_refused()
    {
        var (browser, person) = await SignedIn("Bob", Role.Staff);
        var refused = await browser.Post("/account/name", new() { ["name"] = new string('x', 10_000) }, from: "/account");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains(new string('x', 10_000), await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("/account?done=name", (await browser.Post("/account/name", new() { ["name"] = "Robert" }, from: "/account")).Headers.Location?.OriginalString);
        Assert.Contains("value=\"Robert\"", await browser.Get("/account?done=name"), StringComparison.Ordinal);
        var changed = await browser.Post("/account/password", new() { ["current"] = Settlers.Password, ["password"] = "another long password", ["repeated"] = "another long password" }, from: "/account");
        Assert.Equal("/account?done=password", changed.Headers.Location?.OriginalString);
        var answer = await Open().Post("/login", new() { ["email"] = person.Email, ["password"] = "another long password" });
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
    }

    [Fact]
    public async Task People_are_managed_through_the_api_and_the_link_is_shown_once()
    {
        await settlers.Settle("Alice", Role.Admin);
        using var client = host.Client(await Key([.. Permissions.Scopes]));
        var email = Settlers.NewEmail("Grace");
        var created = await client.PostAsJsonAsync(new Uri("/api/v1/people", UriKind.Relative), new { name = "Grace", email, role = "staff" });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var body = await created.Content.ReadFromJsonAsync<JsonElement>();
        var (id, url) = (body.GetProperty("id").GetString()!, body.GetProperty("link").GetProperty("url").GetString()!);
        Assert.Equal($"/api/v1/people/{id}", created.Headers.Location?.OriginalString);
        var shown = await client.GetStringAsync(new Uri($"/api/v1/people/{id}", UriKind.Relative));
        Assert.DoesNotContain(Settlers.TokenOf(url), shown, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"invited\"", shown, StringComparison.Ordinal);
        var twice = await client.PostAsJsonAsync(new Uri("/api/v1/people", UriKind.Relative), new { name = "Grace", email, role = "staff" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, twice.StatusCode);
        Assert.Contains("email", (await twice.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(p => p.Name));
        var patched = await client.PatchAsJsonAsync(new Uri($"/api/v1/people/{id}", UriKind.Relative), new { active = false });
        Assert.Equal("deactivated", (await patched.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString());
        var stale = await client.PatchAsJsonAsync(new Uri($"/api/v1/people/{id}", UriKind.Relative), new { role = "admin", version = 1 });
        Assert.Equal(HttpStatusCode.Conflict, stale.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri($"/api/v1/people/{Guid.Empty:N}", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.PatchAsJsonAsync(new Uri($"/api/v1/people/{id}", UriKind.Relative), new { active = true })).StatusCode);
        var renewed = await client.PostAsync(new Uri($"/api/v1/people/{id}/link", UriKind.Relative), null);
        Assert.NotEqual(url, (await renewed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("url").GetString());
        var page = await client.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/people?limit=1", UriKind.Relative));
        Assert.Equal(1, page.GetProperty("items").GetArrayLength());
        Assert.NotNull(page.GetProperty("next").GetString());
    }

    [Fact]
    public async Task A_key_is_made_and_used_and_ends_at_once_when_revoked()
    {
        using var client = host.Client(await Key([.. Permissions.Scopes]));
        var created = await client.PostAsJsonAsync(new Uri("/api/v1/api-keys", UriKind.Relative), new { name = "Deployments", scopes = new[] { "api-keys:write", "ops:read" } });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var body = await created.Content.ReadFromJsonAsync<JsonElement>();
        var (id, secret) = (body.GetProperty("id").GetString()!, body.GetProperty("key").GetString()!);
        Assert.Matches("^portal_[A-Za-z0-9_-]{43}$", secret);
        using var robot = host.Client(secret);
        var list = await robot.GetStringAsync(new Uri("/api/v1/api-keys?limit=200", UriKind.Relative));
        Assert.DoesNotContain(secret, list, StringComparison.Ordinal);
        Assert.Contains(id, list, StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, (await client.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/api-keys/{id}", UriKind.Relative))).GetProperty("lastUsedAt").ValueKind);
        var people = await robot.GetAsync(new Uri("/api/v1/people", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, people.StatusCode);
        Assert.Contains("people:write", await people.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync(new Uri($"/api/v1/api-keys/{id}", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await robot.GetAsync(new Uri("/api/v1/api-keys", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task A_cookie_is_no_key_and_a_key_is_no_cookie()
    {
        var (browser, _) = await SignedIn("Alice", Role.Admin);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.Client.GetAsync(new Uri("/api/v1/people", UriKind.Relative))).StatusCode);
        using var client = host.Client(await Key([.. Permissions.Scopes]));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/api/v1/people", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await client.GetAsync(new Uri("/account", UriKind.Relative))).StatusCode);
    }
}
