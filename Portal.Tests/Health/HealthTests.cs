using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Features.Health;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Health;

public class HealthTests(PortalHost host) : IClassFixture<PortalHost>
{
    static readonly string[] Parts = ["health", "sign-in", "public-api", "database", "cache", "job-worker", "live-hub", "admin", "backup-store", "mail"];

    async Task<string> Key(params string[] scopes)
    {
        var secret = Secret.NewApiKey();
        await using var db = host.Database.Open();
        db.Add(new ApiKey("Test", scopes, Secret.StartOf(secret), Secret.HashOf(secret), "Alice", TimeProvider.System.GetUtcNow()));
        await db.SaveChangesAsync();
        return secret;
    }

    /// <summary>As through a proxy that nobody trusts: then loopback proves nothing.</summary>
    HttpClient FromOutside(string? key = null)
    {
        var client = host.Client(key);
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.7");
        return client;
    }

    [Fact]
    public async Task Every_part_of_a_fresh_installation_works_or_says_why_it_is_not_configured()
    {
        using var client = host.Client();
        // The delivery of jobs begins after the start.
        await Soon.Comes(async () => (await client.GetAsync("/health/parts/job-worker")).StatusCode == HttpStatusCode.OK, "jobs come here");
        foreach (var part in Parts)
        {
            using var answer = await client.GetAsync($"/health/parts/{part}");
            var body = await answer.Content.ReadAsStringAsync();
            if (part is "cache" or "mail")
            {
                Assert.Equal((part, HttpStatusCode.NoContent), (part, answer.StatusCode));
                Assert.NotEqual("", answer.Headers.GetValues("X-Part-Note").Single());
            }
            else Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{part}: {(int)answer.StatusCode} {body}\n{host.Complaints}");
        }
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/health/parts/unheard-of")).StatusCode);
    }

    [Fact]
    public async Task Figures_are_for_this_machine_or_a_key_with_the_scope_and_others_see_states_only()
    {
        async Task<bool> Detailed(HttpClient client)
        {
            var health = await client.GetFromJsonAsync<JsonElement>("/health");
            Assert.Equal("ok", health.GetProperty("status").GetString());
            Assert.Equal("ok", health.GetProperty("parts").GetProperty("database").GetProperty("state").GetString());
            Assert.Equal("not_configured", health.GetProperty("parts").GetProperty("mail").GetProperty("state").GetString());
            return health.GetProperty("parts").GetProperty("database").GetProperty("figures").ValueKind == JsonValueKind.Object && health.GetProperty("node").ValueKind == JsonValueKind.String;
        }
        using var local = host.Client();
        using var outside = FromOutside();
        using var known = FromOutside(await Key("health:read"));
        using var lacking = FromOutside(await Key("ops:read"));
        Assert.True(await Detailed(local));
        Assert.False(await Detailed(outside));
        Assert.True(await Detailed(known));
        Assert.False(await Detailed(lacking));
    }

    [Fact]
    public async Task Balancers_may_ask_with_HEAD()
    {
        using var client = host.Client();
        foreach (var path in new[] { "/health", "/health/live", "/health/ready", "/health/parts/database", "/api/health", "/api/health/ready", "/metrics" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, path);
            using var answer = await client.SendAsync(request);
            Assert.Equal((path, HttpStatusCode.OK), (path, answer.StatusCode));
        }
    }

    [Fact]
    public async Task Live_and_ready_answer_without_anybody_being_known()
    {
        using var client = FromOutside();
        foreach (var path in new[] { "/health/live", "/health/ready", "/api/health/ready", "/health/ready?scope=staff" })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal((path, HttpStatusCode.OK), (path, answer.StatusCode));
            Assert.Equal("ok", (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString());
        }
    }

    [Fact]
    public async Task Metrics_need_this_machine_or_a_key_with_the_scope()
    {
        using var local = host.Client();
        using var outside = FromOutside();
        using var lacking = FromOutside(await Key("ops:read"));
        using var known = FromOutside(await Key("health:read"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await outside.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await lacking.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await known.GetAsync("/metrics")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await local.GetAsync("/api/v2/nothing.json")).StatusCode);
        var text = await local.GetStringAsync("/metrics");
        foreach (var name in new[] { "http_server_request_duration_seconds_bucket{", "http_server_request_duration_seconds_count{", "dotnet_process_cpu_time_seconds_total", "dotnet_process_memory_working_set_bytes", "portal_part_up{part=\"database\"} 1", "http_response_status_code=\"404\"", "portal_published_requests_total" })
            Assert.Contains(name, text, StringComparison.Ordinal);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Assert.Matches(@"^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{[a-z0-9_]+=""(\\.|[^""\\])*""(,[a-z0-9_]+=""(\\.|[^""\\])*"")*\})? -?([0-9.]+|\+Inf))$", line);
    }
}

public class HealthWithoutDatabaseTests
{
    [Fact]
    public async Task With_the_database_away_the_public_is_still_served_and_staff_are_sent_elsewhere()
    {
        await using var host = await PortalHost.Start();
        using var client = host.Client();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready?scope=staff")).StatusCode);
        // The pool of the real thing is replaced by one that reaches nothing.
        host.Get<Database>().Open(Database.Connect("Host=127.0.0.1;Port=1;Username=nobody;Database=nothing;Timeout=1"));
        await Soon.Comes(async () =>
        {
            using var staff = await client.GetAsync("/health/ready?scope=staff");
            return staff.StatusCode == HttpStatusCode.ServiceUnavailable;
        }, "staff being sent elsewhere");
        // For the public it is known from the pulse, within seconds: nobody is kept waiting for the database.
        await Soon.Comes(async () =>
        {
            using var ready = await client.GetAsync("/health/ready");
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
            return (await ready.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString() == "degraded";
        }, "readiness being degraded");
        foreach (var (part, status) in new[] { ("database", 503), ("sign-in", 503), ("admin", 503), ("public-api", 200), ("health", 200), ("live-hub", 200) })
        {
            // A look from before the loss may be a second old.
            await Soon.Comes(async () =>
            {
                using var answer = await client.GetAsync($"/health/parts/{part}");
                return (int)answer.StatusCode == status;
            }, $"{part} answering {status}");
        }
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/metrics")).StatusCode);
        using var keyed = host.Client("portal_whatever");
        using var refused = await keyed.GetAsync("/api/v1/monitors");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
    }
}

public class HealthPartsTests
{
    sealed class Part(Func<CancellationToken, Task<PartReport>> look) : IHealthPart
    {
        public int Looks;
        public string Name => "it";
        public Task<PartReport> Look(CancellationToken ct)
        {
            Interlocked.Increment(ref Looks);
            return look(ct);
        }
    }

    static HealthParts Of(IHealthPart part, TimeProvider clock) => new([part], clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<HealthParts>.Instance);

    [Fact]
    public async Task However_many_ask_a_part_is_looked_at_once_a_second()
    {
        var (clock, part) = (new FakeClock(), new Part(_ => Task.FromResult(PartReport.Ok())));
        var parts = Of(part, clock);
        for (var i = 0; i < 50; i++) await parts.Look("it", default);
        Assert.Equal(1, part.Looks);
        clock.FastForward(HealthParts.Fresh + TimeSpan.FromMilliseconds(1));
        await parts.Look("it", default);
        Assert.Equal(2, part.Looks);
    }

    [Fact]
    public async Task A_part_that_hangs_fails_after_its_time_and_one_that_throws_fails_at_once()
    {
        var clock = new FakeClock();
        var hung = Of(new Part(_ => new TaskCompletionSource<PartReport>().Task), clock).Look("it", default);
        for (var i = 0; !hung.IsCompleted && i < 100; i++)
        {
            clock.FastForward(TimeSpan.FromSeconds(1));
            await Task.WhenAny(hung, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, default));
        }
        Assert.Equal(PartState.Failing, (await hung)!.State);
        var failed = await Of(new Part(_ => throw new InvalidOperationException("no")), clock).Look("it", default);
        Assert.Equal(PartState.Failing, failed!.State);
        Assert.Null(await Of(new Part(_ => throw new InvalidOperationException("no")), clock).Look("other", default));
    }
}
