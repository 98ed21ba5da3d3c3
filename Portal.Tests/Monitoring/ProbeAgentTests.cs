using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Features.Access;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Monitoring;
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
    public async Task What_waits_for_the_portal_is_bounded_and_what_was_given_up_is_counted()
    {
        var items = Enumerable.Range(0, 200).Select(i => new ProbesApi.WorkItem(MonitorId.From(Guid.CreateVersion7()), MonitorKind.Http, Target, 0.01, 5, "200-399", false, MonitorOptions.None, "look", new Dictionary<string, string>())).ToList();
        using var client = new HttpClient(new OnlyWork(new("Rome", "tag", 60, items))) { BaseAddress = new Uri("http://portal.example/") };
        using var stop = new CancellationTokenSource();
        using var agent = new ProbeAgent(client, [new ScriptedProbe()], "1.0", TimeProvider.System, NullLogger.Instance);
        var running = agent.Run(stop.Token);
        await Soon.Comes(() => agent.Dropped > 100, "findings given up");
        Assert.InRange(agent.WaitingFindings, ProbeAgent.MostWaiting - 1, ProbeAgent.MostWaiting);
        await stop.CancelAsync();
        await running;
        Assert.Equal(0, agent.Looking);
    }

    static ProbesApi.WorkItem Item(double interval = 0.05) => new(MonitorId.From(Guid.CreateVersion7()), MonitorKind.Http, Target, interval, 5, "200-399", false, MonitorOptions.None, "look", new Dictionary<string, string>());

    /// <summary>The program before a portal that answers findings as the test says.</summary>
    static async Task Before(FakePortal portal, Func<ProbeAgent, Task> act, IProbe? probe = null, TimeProvider? clock = null, Microsoft.Extensions.Logging.ILogger? log = null)
    {
        using var client = new HttpClient(portal) { BaseAddress = new Uri("http://portal.example/") };
        using var stop = new CancellationTokenSource();
        using var agent = new ProbeAgent(client, [probe ?? new ScriptedProbe()], "1.0", clock ?? TimeProvider.System, log ?? NullLogger.Instance);
        var running = agent.Run(stop.Token);
        await act(agent);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_monitor_that_only_a_newer_program_understands_is_left_out_and_the_others_are_looked_at()
    {
        var work = JsonSerializer.SerializeToNode(new ProbesApi.WorkAnswer("Rome", "tag", 60, [Item(), Item(), Item()]), ApiJson.Options)!;
        work["monitors"]![0]!["kind"] = "quantum";
        work["monitors"]![1]!["options"]!["periodSeconds"] = "now and then";
        var (portal, log) = (new FakePortal(work.ToJsonString()), new LogLines());
        await Before(portal, async agent =>
        {
            await Soon.Comes(() => !portal.Taken.IsEmpty, "a report");
            Assert.Equal(1, agent.Looking);
        }, log: log.CreateLogger("probe"));
        foreach (var kind in new[] { "quantum", "http" }) Assert.Single(log.With($"does not look at some monitors of kind {kind}"));
        Assert.DoesNotContain(log.All, l => l.Text.Contains("failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Findings_are_gathered_and_no_report_is_longer_than_what_the_portal_takes()
    {
        var portal = new FakePortal([.. Enumerable.Range(0, 500).Select(_ => Item(0.02))]);
        await Before(portal, async agent => await Soon.Comes(() => portal.Taken.Count > 5_000, "many findings"), new WordyProbe());
        Assert.InRange(portal.LongestBody, 100_000, 512 * 1024);
        Assert.InRange(portal.Reports, 1, portal.Taken.Count / 50);
    }

    [Fact]
    public async Task A_finding_that_the_portal_refuses_is_given_up_alone_and_counted()
    {
        var portal = new FakePortal([.. Enumerable.Range(0, 20).Select(_ => Item())]);
        portal.Answer = body => body.Findings!.Any(f => f.Sequence == 13) ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.OK;
        await Before(portal, async agent =>
        {
            await Soon.Comes(() => portal.Taken.Contains(60), "what came after it");
            Assert.Equal(1, agent.Dropped);
        });
        Assert.Equal(Enumerable.Range(1, 60).Select(i => (long)i).Where(i => i != 13), portal.Taken.Order().Where(i => i <= 60));
    }

    [Fact]
    public async Task A_finding_that_the_portal_fails_on_is_told_again_alone_until_it_is_taken()
    {
        var (portal, clock, failures) = (new FakePortal([Item(10), Item(10), Item(10), Item(10)]), new FakeClock(), 0);
        portal.Answer = body => body.Findings!.Any(f => f.Sequence == 3) && Volatile.Read(ref failures) < 6 ? Failed(body) : HttpStatusCode.OK;
        HttpStatusCode Failed(ProbesApi.FindingsRequest body)
        {
            if (body.Findings!.Count == 1) Interlocked.Increment(ref failures);
            return HttpStatusCode.InternalServerError;
        }
        await Before(portal, async agent =>
        {
            await Soon.Comes(() =>
            {
                clock.FastForward(TimeSpan.FromSeconds(2));
                return portal.Taken.Contains(12);
            }, "what came after it");
            Assert.Equal(0, agent.Dropped);
        }, clock: clock);
        Assert.Contains(3, portal.Taken);
        Assert.Equal(6, failures);
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

    /// <summary>Answers with a good deal of text that is no ASCII.</summary>
    sealed class WordyProbe : IProbe
    {
        static readonly string Words = new('ж', 480);
        public MonitorKind Kind => MonitorKind.Http;
        public Task<ProbeAnswer> Look(ProbeRequest request, CancellationToken ct) => Task.FromResult(new ProbeAnswer(CheckOutcome.Down, TimeSpan.FromMilliseconds(1), null, Words));
    }

    /// <summary>Gives work once, and takes findings as <see cref="Answer"/> says.</summary>
    sealed class FakePortal(string work) : HttpMessageHandler
    {
        long last;
        int reports, longest;

        public FakePortal(IReadOnlyList<ProbesApi.WorkItem> items) : this(JsonSerializer.Serialize(new ProbesApi.WorkAnswer("Rome", "tag", 60, items), ApiJson.Options)) { }

        public Func<ProbesApi.FindingsRequest, HttpStatusCode> Answer { get; set; } = _ => HttpStatusCode.OK;
        public ConcurrentQueue<long> Taken { get; } = new();
        public int Reports => Volatile.Read(ref reports);
        public int LongestBody => Volatile.Read(ref longest);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.RequestUri!.AbsolutePath.EndsWith("work", StringComparison.Ordinal)) return new HttpResponseMessage { Content = new StringContent(work, MediaTypeHeaderValue.Parse("application/json")) };
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            (reports, longest) = (reports + 1, Math.Max(longest, body.Length));
            var told = JsonSerializer.Deserialize<ProbesApi.FindingsRequest>(body, ApiJson.Options)!;
            var status = Answer(told);
            if (status != HttpStatusCode.OK) return new HttpResponseMessage(status);
            foreach (var sequence in told.Findings!.Select(f => f.Sequence).Where(s => s > last)) Taken.Enqueue(sequence);
            last = told.Findings!.Max(f => f.Sequence);
            return new HttpResponseMessage { Content = JsonContent.Create(new ProbesApi.FindingsAnswer(last), options: ApiJson.Options) };
        }
    }

    sealed class OnlyWork(ProbesApi.WorkAnswer work) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(
            request.RequestUri!.AbsolutePath.EndsWith("work", StringComparison.Ordinal) ? new HttpResponseMessage { Content = JsonContent.Create(work, options: ApiJson.Options) } : new HttpResponseMessage(HttpStatusCode.ServiceUnavailable));
    }

    sealed class ShiftedClock(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
