using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Portal.Api;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

public class FrameTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    sealed record Thing(string? Title, Severity? Severity, ComponentStatus? Status, int? Count, DateTimeOffset? At, ComponentId? Component, uint? Version, IReadOnlyList<Part>? Parts = null);

    sealed record Part(string? Slug);

    static void Map(RouteGroupBuilder v1)
    {
        v1.MapPost("/things", (Thing thing) => Results.Created("/api/v1/things/1", thing));
        v1.MapGet("/things", (Cursor cursor) => cursor.Page(Enumerable.Range(0, 500).Skip(cursor.AfterTime() is { } at ? (int)at.UtcTicks + 1 : 0).Take(cursor.Take).ToList(), i => i, i => Cursor.Of(new DateTimeOffset(i, TimeSpan.Zero))));
        v1.MapGet("/typed/{number:int}", (int number, DateTimeOffset? from) => number);
        v1.MapGet("/private", () => "seen").RequireAuthorization(nameof(Permission.ManagePeople));
        v1.MapPatch("/versioned", (HttpContext http, Thing thing) =>
        {
            if (RowVersion.Expected(http, thing.Version) is { } seen && seen != 7) throw new ConflictException("Somebody was faster.");
            RowVersion.Tell(http, 8);
            return "changed";
        });
        v1.MapGet("/fails/{how}", string (string how) => throw how switch
        {
            "domain" => new DomainException("The title is required.", "title"),
            "missing" => new NotFoundException("incident"),
            "conflict" => new ConflictException("Somebody was faster.", "their text"),
            "forbidden" => new ForbiddenException("Not you."),
            "often" => new TooOftenException("Ten times within a minute.", TimeSpan.FromSeconds(41.2)),
            "away" => new DatabaseAwayException(),
            _ => new InvalidOperationException("secret detail of the inside"),
        });
    }

    static async Task<JsonElement> Problem(HttpResponseMessage answer, int status)
    {
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.True(answer.Headers.CacheControl?.NoStore);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.Equal(answer.Headers.GetValues("X-Request-Id").Single(), problem.GetProperty("requestId").GetString());
        Assert.True(double.Parse(answer.Headers.GetValues("X-Process-Time").Single(), System.Globalization.CultureInfo.InvariantCulture) is >= 0 and < 60);
        return problem;
    }

    static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    [Fact]
    public async Task Without_a_good_key_everything_is_401_and_a_missing_scope_is_named()
    {
        await using var host = await ApiHost.Start(database, Map);
        foreach (var key in new[] { null, "wrong" })
        {
            using var stranger = host.Client(key);
            using var refused = await stranger.GetAsync("/api/v1/things");
            await Problem(refused, 401);
            Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.Single().Scheme);
        }
        using var known = host.Client();
        var problem = await Problem(await known.GetAsync("/api/v1/private"), 403);
        Assert.Equal("people:write", problem.GetProperty("scope").GetString());
        using var allowed = host.Client("people:write");
        Assert.Equal("seen", await allowed.GetStringAsync("/api/v1/private"));
    }

    [Fact]
    public async Task Words_times_and_ids_are_written_as_the_contract_says()
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        using var answer = await client.PostAsync("/api/v1/things", Json(
            """{"title":"T","severity":"p1","status":"DEGRADED_PERFORMANCE","at":"2026-03-02T10:00:00.5+01:00","component":"0198000000007000800000000000000a"}"""));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("""{"title":"T","severity":"P1","status":"degraded_performance","count":null,"at":"2026-03-02T09:00:00.500Z","component":"0198000000007000800000000000000a","version":null,"parts":null}""",
            await answer.Content.ReadAsStringAsync());
        Assert.True(answer.Headers.CacheControl?.NoStore);
    }

    [Theory]
    [InlineData("""{"severity":"P9"}""", 422, "severity", "P0, P1, P2, P3")]
    [InlineData("""{"severity":1}""", 422, "severity", "P0, P1, P2, P3")]
    [InlineData("""{"status":"green"}""", 422, "status", "operational, under_maintenance, degraded_performance, partial_outage, major_outage")]
    [InlineData("""{"count":"many"}""", 422, "count", "wrong type")]
    [InlineData("""{"count":99999999999}""", 422, "count", "wrong type")]
    [InlineData("""{"title":{"a":1}}""", 422, "title", "wrong type")]
    [InlineData("""{"title":"\ud800"}""", 422, "title", "wrong type")]
    [InlineData("""{"at":"yesterday"}""", 422, "at", "RFC 3339")]
    [InlineData("""{"at":"2026-03-02T10:00:00"}""", 422, "at", "zone")]
    [InlineData("""{"component":"7"}""", 422, "component", "32 hexadecimal")]
    [InlineData("""{"version":-1}""", 422, "version", "wrong type")]
    [InlineData("""{"titel":"x"}""", 422, "titel", "There is no such field. There are: title, severity, status, count, at, component, version, parts.")]
    [InlineData("""{"title":"x","parts":[{"slug":"a"},{"slug":"b","stauts":1}]}""", 422, "parts[1].stauts", "There is no such field.")]
    [InlineData("""{"it's so":1}""", 422, "it's so", "There is no such field.")]
    [InlineData("""[1,2]""", 422, "body", "wrong type")]
    [InlineData("""{"title":""", 400, null, "not valid JSON")]
    [InlineData("nonsense", 400, null, "not valid JSON")]
    [InlineData("null", 400, null, "needs a JSON body")]
    [InlineData("", 400, null, "needs a JSON body")]
    public async Task A_body_that_does_not_fit_is_explained_and_never_a_fault(string body, int status, string? field, string words)
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        var problem = await Problem(await client.PostAsync("/api/v1/things", Json(body)), status);
        if (field is not null) Assert.Contains(words, problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
        else Assert.Contains(words, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_methods_types_sizes_and_parameters_have_their_own_answers()
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        using var method = await client.DeleteAsync("/api/v1/things");
        await Problem(method, 405);
        Assert.Contains("POST", method.Content.Headers.Allow);
        await Problem(await client.PostAsync("/api/v1/things", new StringContent("a=b", Encoding.UTF8, "application/x-www-form-urlencoded")), 415);
        // Asks first: who writes on while the refusal comes may find the connection closed before reading it.
        using var large = new HttpRequestMessage(HttpMethod.Post, "/api/v1/things") { Content = Json($$"""{"title":"{{new string('x', 1_100_000)}}"}"""), Headers = { ExpectContinue = true } };
        await Problem(await client.SendAsync(large), 413);
        await Problem(await client.GetAsync("/api/v1/none"), 404);
        await Problem(await client.GetAsync("/api/v1/typed/abc"), 404);
        Assert.True((await Problem(await client.GetAsync("/api/v1/typed/1?from=soon"), 422)).GetProperty("errors").TryGetProperty("from", out _));
        foreach (var limit in new[] { "0", "201", "-1", "x", "", "1e3" })
            Assert.True((await Problem(await client.GetAsync($"/api/v1/things?limit={limit}"), 422)).GetProperty("errors").TryGetProperty("limit", out _));
        Assert.True((await Problem(await client.GetAsync("/api/v1/things?after=%00"), 422)).GetProperty("errors").TryGetProperty("after", out _));
    }

    [Theory]
    [InlineData("domain", 422)]
    [InlineData("missing", 404)]
    [InlineData("conflict", 409)]
    [InlineData("forbidden", 403)]
    [InlineData("away", 503)]
    [InlineData("fault", 500)]
    public async Task Refusals_have_their_status_and_faults_keep_their_inside_to_themselves(string how, int status)
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        using var answer = await client.GetAsync($"/api/v1/fails/{how}");
        var problem = await Problem(answer, status);
        Assert.DoesNotContain("secret", problem.ToString(), StringComparison.Ordinal);
        if (status == 503) Assert.NotNull(answer.Headers.RetryAfter);
        if (status == 409) Assert.Equal("their text", problem.GetProperty("current").GetString());
        if (status == 422) Assert.Equal("The title is required.", problem.GetProperty("errors").GetProperty("title")[0].GetString());
    }

    [Fact]
    public async Task Who_does_something_too_often_is_told_how_long_to_wait()
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        using var answer = await client.GetAsync("/api/v1/fails/often");
        Assert.Equal("Ten times within a minute.", (await Problem(answer, 429)).GetProperty("detail").GetString());
        Assert.Equal(TimeSpan.FromSeconds(42), answer.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task A_list_is_read_to_its_end_by_its_cursors_without_gap_or_repetition()
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        var (seen, next, parts) = (new List<int>(), "", 0);
        do
        {
            var part = await client.GetFromJsonAsync<JsonElement>($"/api/v1/things?limit=120&after={next}");
            seen.AddRange(part.GetProperty("items").EnumerateArray().Select(i => i.GetInt32()));
            next = part.GetProperty("next").GetString();
            parts++;
        }
        while (next is not null);
        Assert.Equal(Enumerable.Range(0, 500), seen);
        Assert.Equal(5, parts);
    }

    [Fact]
    public async Task A_stale_version_is_a_conflict_whether_in_the_body_or_the_header()
    {
        await using var host = await ApiHost.Start(database, Map);
        using var client = host.Client();
        async Task<HttpResponseMessage> Patch(string body, string? ifMatch)
        {
            using var request = new HttpRequestMessage(HttpMethod.Patch, "/api/v1/versioned") { Content = Json(body) };
            if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
            return await client.SendAsync(request);
        }
        await Problem(await Patch("""{"version":6}""", null), 409);
        await Problem(await Patch("{}", "\"6\""), 409);
        await Problem(await Patch("{}", "W/\"abc\""), 422);
        await Problem(await Patch("""{"version":7}""", "\"6\""), 422);
        foreach (var fine in new[] { ("{}", null), ("""{"version":7}""", null), ("{}", "\"7\""), ("{}", "*") })
        {
            using var answer = await Patch(fine.Item1, fine.Item2);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("\"8\"", answer.Headers.ETag?.Tag);
        }
    }

    [Theory]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1")]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2")]
    public void Who_may_choose_among_the_addresses_of_one_network_is_limited_as_one(string first, string same, string other)
    {
        using var limiter = new RateLimits(6_000, 4).Limiter();
        bool May(string address)
        {
            var http = new DefaultHttpContext { Request = { Path = "/api/v1/things" }, Connection = { RemoteIpAddress = IPAddress.Parse(address) } };
            using var lease = limiter.AttemptAcquire(http);
            return lease.IsAcquired;
        }
        Assert.Equal((true, false, true, false), (May(first), May(same), May(other), May(first)));
    }

    [Fact]
    public async Task A_key_that_calls_too_often_must_wait_while_another_may_go_on()
    {
        await using var host = await ApiHost.Start(database, Map, new() { ["Api:RequestsPerMinute:PerKey"] = "20", ["Api:RequestsPerMinute:PerAddress"] = "2000" });
        using var busy = host.Client("ops:read");
        using var calm = host.Client("monitors:read");
        for (var i = 0; i < 5; i++) Assert.Equal(HttpStatusCode.OK, (await busy.GetAsync("/api/v1/things")).StatusCode);
        using var refused = await busy.GetAsync("/api/v1/things");
        await Problem(refused, 429);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Equal(HttpStatusCode.OK, (await calm.GetAsync("/api/v1/things")).StatusCode);
    }
}
