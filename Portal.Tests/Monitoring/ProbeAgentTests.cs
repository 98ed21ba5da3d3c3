using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Monitoring;
using Portal.Features.Access;
using Portal.Features.Monitoring.Places;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>The program at another place and the whole portal, over HTTP.</summary>
public sealed class ProbeAgentTests(PortalHost host) : IClassFixture<PortalHost>
{
    const string Target = "https://93.184.216.34/";

    async Task<string> Key(string name, params string[] scopes) => (await host.Get<CreateApiKey>().Execute(new(name, scopes.Length > 0 ? scopes : ["probes:run"]), Cast.Alice, default)).Secret;

    async Task<JsonElement> Send(HttpMethod method, string path, object body)
    {
        using var client = host.Client(await Key("Test", "monitors:read", "monitors:write"));
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    async Task<T> Read<T>(Func<Infrastructure.Persistence.PortalDbContext, Task<T>> query)
    {
        await using var db = host.Database.Open();
        return await query(db);
    }

    Task<List<string>> Finders(MonitorId id) => Read(db => db.Checks.Where(c => c.MonitorId == id).Select(c => c.Node).Distinct().ToListAsync());

    async Task<MonitorId> Monitored(params string[] places)
    {
        var made = await Send(HttpMethod.Post, "/api/v1/monitors", new { name = $"From {string.Join(" and ", places)}", kind = "http", target = Target, intervalSeconds = 10, timeoutSeconds = 5, places, fromHere = false, placesBeforeDown = places.Length, failuresBeforeDown = 1 });
        return MonitorId.From(Guid.Parse(made.GetProperty("id").GetString()!));
    }

    [Fact]
    public async Task Two_places_look_and_both_must_find_it_down_and_what_time_it_is_there_does_not_matter()
    {
        await using var frankfurt = new Agent(host.Address, await Key("Frankfurt"), new ShiftedClock(TimeSpan.FromDays(-3_650)));
        await using var tokyo = new Agent(host.Address, await Key("Tokyo"), new ShiftedClock(TimeSpan.FromDays(900)));
        await Soon.Comes(() => Read(async db => await db.ProbePlaces.CountAsync(p => p.Name == "Frankfurt" || p.Name == "Tokyo") == 2), "both places known");
        var id = await Monitored("Frankfurt", "Tokyo");
        await Soon.Comes(async () => (await Finders(id)).Order().SequenceEqual(["Frankfurt", "Tokyo"]), "results of both, and of nobody else");
        var now = TimeProvider.System.GetUtcNow();
        Assert.All(await Read(db => db.Checks.Where(c => c.MonitorId == id).Select(c => c.At).ToListAsync()), at => Assert.InRange(at, now.AddMinutes(-1), now.AddSeconds(1)));
        var place = await Read(db => db.ProbePlaces.SingleAsync(p => p.Name == "Tokyo"));
        Assert.InRange(place.ClockAhead, TimeSpan.FromDays(899), TimeSpan.FromDays(901));

        frankfurt.Probe.NothingAnswers = true;
        await Soon.Comes(() => Read(async db => (await db.MonitorStates.SingleAsync(s => s.MonitorId == id)).Places.Any(p => p.Judged.Health == MonitorHealth.Down)), "one place down");
        Assert.False(await Read(db => db.Outages.AnyAsync(o => o.MonitorId == id)));
        tokyo.Probe.NothingAnswers = true;
        await Soon.Comes(() => Read(db => db.Outages.AnyAsync(o => o.MonitorId == id && o.To == null)), "an outage");
        var answer = await Send(HttpMethod.Patch, $"/api/v1/monitors/{id}", new { name = "Renamed" });
        Assert.Equal(["down", "down"], answer.GetProperty("foundBy").EnumerateArray().Select(p => p.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task While_the_portal_is_away_it_goes_on_and_what_it_found_is_there_once_afterwards()
    {
        await using var oslo = new Agent(host.Address, await Key("Oslo"), TimeProvider.System);
        await Soon.Comes(() => Read(db => db.ProbePlaces.AnyAsync(p => p.Name == "Oslo")), "the place known");
        var id = await Monitored("Oslo");
        await Soon.Comes(async () => (await Finders(id)).Count == 1, "a first result");
        // Taken in, and the answer to it lost: it is sent again.
        oslo.Line.LoseAnswers = true;
        var before = oslo.Probe.Looks.Count;
        await Soon.Comes(() => oslo.Line.LostAnswers > 0 && oslo.Probe.Looks.Count > before, "a lost answer");
        oslo.Line.IsCut = true;
        before = oslo.Probe.Looks.Count;
        await Soon.Comes(() => oslo.Probe.Looks.Count > before && oslo.Program.WaitingFindings > 0, "a look while the portal is away");
        (oslo.Line.LoseAnswers, oslo.Line.IsCut) = (false, false);
        await Soon.Comes(() => oslo.Program.WaitingFindings == 0, "everything reported");
        await Soon.Comes(async () => await Read(db => db.Checks.CountAsync(c => c.MonitorId == id)) >= oslo.Probe.Looks.Count - 1, "everything stored");
        Assert.InRange(await Read(db => db.Checks.CountAsync(c => c.MonitorId == id)), 2, oslo.Probe.Looks.Count);
    }

    [Fact]
    public async Task What_no_database_takes_in_one_finding_does_not_hold_up_the_others()
    {
        using var client = host.Client(await Key("Quito"));
        var session = Guid.CreateVersion7();
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsJsonAsync("/api/v1/probe/work", new { session })).StatusCode);
        var id = await Monitored("Quito");
        object Finding(int sequence, string detail, string look) => new { sequence, monitor = id.ToString(), ageMilliseconds = 5_000 - sequence, milliseconds = 5, outcome = "up", detail, look };
        var findings = new[] { Finding(1, "a\0b", "look"), Finding(2, new string('x', 499) + "\U0001F600", "look"), Finding(3, "x", new string('y', 65)), Finding(4, "x", "l\0k") };
        using var answer = await client.PostAsJsonAsync("/api/v1/probe/findings", new { session, findings });
        Assert.Equal("""{"lastSequence":4}""", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Only_a_key_for_it_gets_work_and_a_second_program_with_the_same_key_is_told()
    {
        using var stranger = host.Client(await Key("Stranger", "monitors:read", "monitors:write"));
        Assert.Equal(HttpStatusCode.Forbidden, (await stranger.PostAsJsonAsync("/api/v1/probe/work", new { session = Guid.CreateVersion7() })).StatusCode);
        using var nobody = host.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.PostAsJsonAsync("/api/v1/probe/findings", new { })).StatusCode);
        using var client = host.Client(await Key("Lima"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsJsonAsync("/api/v1/probe/work", new { })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsJsonAsync("/api/v1/probe/findings", new { session = Guid.CreateVersion7(), findings = Array.Empty<object>() })).StatusCode);
        var (first, second) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var session in new[] { first, second }) Assert.Equal(HttpStatusCode.OK, (await client.PostAsJsonAsync("/api/v1/probe/work", new { session })).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsJsonAsync("/api/v1/probe/findings", new { session = first, findings = Array.Empty<object>() })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsJsonAsync("/api/v1/probe/findings", new { session = second, findings = Array.Empty<object>() })).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsJsonAsync("/api/v1/probe/findings", new { session = second, findings = new object?[] { null } })).StatusCode);
        using var staff = host.Client(await Key("Staff", "monitors:read", "monitors:write"));
        foreach (var wrong in new object[] { new { places = new string?[] { null } }, new { tags = new string?[] { null } } })
            Assert.Equal(HttpStatusCode.UnprocessableEntity, (await staff.PatchAsJsonAsync($"/api/v1/monitors/{await Monitored("Lima")}", wrong)).StatusCode);
    }

    /// <summary>The program as it runs elsewhere, with a line that can be cut.</summary>
    sealed class Agent : IAsyncDisposable
    {
        readonly CancellationTokenSource stop = new();
        readonly HttpClient client;
        readonly Task running;

        public Agent(Uri portal, string key, TimeProvider clock)
        {
            client = new HttpClient(Line) { BaseAddress = portal, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
            Program = new ProbeAgent(client, [Probe], "1.0", clock, NullLogger.Instance);
            running = Program.Run(stop.Token);
        }

        public ScriptedProbe Probe { get; } = new();
        public Line Line { get; } = new();
        public ProbeAgent Program { get; }

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await running;
            Program.Dispose();
            client.Dispose();
            stop.Dispose();
        }
    }

    sealed class Line() : DelegatingHandler(new SocketsHttpHandler())
    {
        int lost;
        public volatile bool IsCut, LoseAnswers;
        public int LostAnswers => Volatile.Read(ref lost);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (IsCut) throw new HttpRequestException("The line is cut.");
            var answer = await base.SendAsync(request, cancellationToken);
            if (!LoseAnswers || !request.RequestUri!.AbsolutePath.EndsWith("findings", StringComparison.Ordinal)) return answer;
            answer.Dispose();
            Interlocked.Increment(ref lost);
            throw new HttpRequestException("The answer was lost.");
        }
    }

    sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
