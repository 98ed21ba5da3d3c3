using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Portal.Api;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Access;

/// <summary>Walks every address of the running portal: one that is added without a rule fails here.</summary>
public sealed class EveryAddressTests(PortalHost host) : IClassFixture<PortalHost>, IDisposable
{
    /// <summary>Open to everybody on purpose. Whatever else is open fails the test.</summary>
    static readonly string[] Public =
    [
        "", "de", "en", "login", "setup", "history", "incidents", "components", "maintenance", "live", "health", "metrics", "hubs", "openapi", "docs", "badge", "assets", "_framework",
        "history.rss", "history.atom", "maintenance.ics", "embed.js", "favicon.ico", "robots.txt",
    ];

    /// <summary>For everybody who is signed in, whatever their rights.</summary>
    static readonly string[] OwnOnly = ["account", "logout", "_blazor", "_framework"];

    readonly Settlers settlers = new(host.Database.Contexts, TimeProvider.System);

    public void Dispose() => settlers.Dispose();

    sealed record Address(RouteEndpoint Endpoint, string Method)
    {
        public string Pattern => Endpoint.RoutePattern.RawText?.TrimStart('/') ?? "";
        public string First => Pattern.Split('/')[0];
        /// <summary>Tells whoever has any key that an address is none.</summary>
        public bool IsUnknown => Pattern == "api/v1/{**rest}";
        /// <summary>Called by jobs and other systems, by calendars, and by whoever was paged: the key in the address or in the body, or the signature of the sender, is all that they have.</summary>
        public bool IsCapability => Pattern.StartsWith("api/v1/heartbeats/{key}", StringComparison.Ordinal)
            || Pattern is "api/v1/hooks/{kind}/{key}" or "api/v1/hooks/slack/{channel}" or "api/v1/hooks/twilio/{channel}/{delivery}" or "api/v1/hooks/twilio/{channel}/{delivery}/keys" or "v2/enqueue" or "answer/{token}" or "on-call/{secret}.ics";
        public bool IsApi => Pattern.StartsWith("api/v1", StringComparison.Ordinal) && !IsCapability;
        /// <summary>Health answers everybody, and tells more to whom it recognises.</summary>
        public bool IsOpen => Endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null || First == "health" || Pattern == "api/health";
        public IReadOnlyList<Permission> Needs => [.. Endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>()
            .Where(a => a.Policy is not null).Select(a => Enum.Parse<Permission>(a.Policy!)).Distinct()];

        /// <summary>Something that the pattern matches; nothing is found under it.</summary>
        public string Path => "/" + string.Join('/', Endpoint.RoutePattern.PathSegments.Select(s => string.Concat(s.Parts.Select(p => p switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Default: string usual } => usual,
            _ => "0198a1b2c3d47e5f8a9b0c1d2e3f4a5b",
        }))));
    }

    List<Address> All() => [.. host.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<ISuppressMatchingMetadata>()?.SuppressMatching != true)
        // Answers "not found" in words below an area, and for files that are missing.
        .Where(e => e.RoutePattern.RawText?.Contains("nonfile", StringComparison.Ordinal) != true && e.RoutePattern.RawText?.Contains("path:file", StringComparison.Ordinal) != true)
        .SelectMany(e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).DefaultIfEmpty("GET").Where(m => m != "OPTIONS").Select(m => new Address(e, m)))];

    static async Task<HttpResponseMessage> Ask(HttpClient client, Address address)
    {
        using var request = new HttpRequestMessage(new HttpMethod(address.Method), address.Path);
        if (address.Method is "POST" or "PUT" or "PATCH") request.Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    async Task<HttpClient> As(Role role)
    {
        var person = await settlers.Settle(role.ToString(), role);
        var client = host.Client();
        client.DefaultRequestHeaders.Add("Cookie", $"{SessionCookie.PlainName}={await settlers.SignedIn(person)}");
        return client;
    }

    async Task<HttpClient> With(params IEnumerable<string> scopes)
    {
        var secret = Secret.NewApiKey();
        await using var db = host.Database.Open();
        db.Add(new ApiKey("Robot", [.. scopes], Secret.StartOf(secret), Secret.HashOf(secret), "Alice", TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
        return host.Client(secret);
    }

    [Fact]
    public async Task An_unknown_address_is_not_found_rather_than_a_reason_to_sign_in()
    {
        using var client = host.Client();
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(new Uri("/no/such/page", UriKind.Relative))).StatusCode);
        // A program without a key is told nothing of what there is.
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(new Uri("/api/v1/no-such-thing", UriKind.Relative))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.DeleteAsync(new Uri("/api/v1/people", UriKind.Relative))).StatusCode);
    }

    [Fact]
    public void Every_address_is_public_on_purpose_or_has_a_rule()
    {
        var all = All();
        Assert.True(all.Count > 20, "The addresses were not found.");
        var wrong = all.Where(a => a.IsOpen
            ? !Public.Contains(a.First) && !a.IsCapability && !a.Pattern.StartsWith("api/v2", StringComparison.Ordinal) && !a.Pattern.StartsWith("api/health", StringComparison.Ordinal) && !IsFile(a)
            : a.IsApi ? a.Endpoint.Metadata.GetMetadata<KeysOnly>() is null || a.Needs.Count == 0 && !a.IsUnknown
            : !OwnOnly.Contains(a.First) && a.Needs.Count == 0);
        Assert.Empty(wrong.Select(a => $"{a.Method} /{a.Pattern}"));
    }

    // Static assets: scripts, styles, icons.
    static bool IsFile(Address address) => address.Endpoint.Metadata.Any(m => m.GetType().Name.StartsWith("StaticAsset", StringComparison.Ordinal));

    [Fact]
    public void Staff_and_administration_are_never_open_and_administration_is_not_for_staff()
    {
        var staff = Permissions.Of(Role.Staff);
        Assert.Empty(All().Where(a => a.First is "ops" or "admin" && a.IsOpen).Select(a => a.Pattern));
        Assert.Empty(All().Where(a => a.First == "admin" && a.Needs.All(staff.Contains)).Select(a => a.Pattern));
    }

    [Fact]
    public async Task Strangers_are_sent_to_sign_in_from_screens_and_refused_by_the_api()
    {
        using var client = host.Client();
        foreach (var address in All().Where(a => !a.IsOpen && a.First != "_blazor"))
        {
            using var answer = await Ask(client, address);
            if (address.IsApi) Assert.Equal((address.Pattern, HttpStatusCode.Unauthorized), (address.Pattern, answer.StatusCode));
            else
            {
                Assert.Equal((address.Pattern, HttpStatusCode.Redirect), (address.Pattern, answer.StatusCode));
                Assert.StartsWith("/login", answer.Headers.Location?.OriginalString, StringComparison.Ordinal);
            }
        }
        using var circuit = await client.PostAsync(new Uri("/_blazor/negotiate?negotiateVersion=1", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Unauthorized, circuit.StatusCode);
    }

    [Fact]
    public async Task Staff_open_what_is_theirs_and_read_in_words_that_the_rest_is_not()
    {
        using var client = await As(Role.Staff);
        var mine = Permissions.Of(Role.Staff);
        var (opened, refused) = (0, 0);
        foreach (var address in All().Where(a => !a.IsOpen && !a.IsApi && a.Method == "GET" && a.First is "ops" or "admin"))
        {
            using var answer = await Ask(client, address);
            if (address.Needs.All(mine.Contains))
            {
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"/{address.Pattern}: {answer.StatusCode}");
                opened++;
            }
            else
            {
                Assert.Equal((address.Pattern, HttpStatusCode.Forbidden), (address.Pattern, answer.StatusCode));
                Assert.Contains("needs a right", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
                refused++;
            }
        }
        Assert.True(refused >= 2, "No administration screen was found.");
        using var administrator = await As(Role.Admin);
        foreach (var address in All().Where(a => a.Method == "GET" && a.First == "admin"))
        {
            using var answer = await Ask(administrator, address);
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"/{address.Pattern}: {answer.StatusCode}");
        }
    }

    [Fact]
    public async Task A_key_without_the_scope_is_refused_and_told_which_one_is_missing()
    {
        var api = All().Where(a => a.IsApi && !a.IsUnknown).ToList();
        Assert.NotEmpty(api);
        foreach (var needed in api.Select(a => a.Needs[^1]).Distinct())
        {
            var scope = Permissions.ScopeOf(needed);
            using var client = await With(Permissions.Scopes.Where(s => s != scope));
            foreach (var address in api.Where(a => a.Needs.Contains(needed)))
            {
                using var answer = await Ask(client, address);
                Assert.Equal((address.Method, address.Pattern, HttpStatusCode.Forbidden), (address.Method, address.Pattern, answer.StatusCode));
                Assert.Contains(scope, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_key_opens_no_screen_and_a_session_no_api()
    {
        using var key = await With(Permissions.Scopes);
        using var administrator = await As(Role.Admin);
        foreach (var address in All().Where(a => !a.IsOpen && a.Method == "GET" && a.First != "_blazor"))
        {
            using var answer = await Ask(address.IsApi ? administrator : key, address);
            Assert.Equal((address.Pattern, address.IsApi ? HttpStatusCode.Unauthorized : HttpStatusCode.Redirect), (address.Pattern, answer.StatusCode));
        }
    }
}
