using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>The program at another place before a portal that answers as the test says.</summary>
public sealed class ProbeAgentRulesTests
{
    const string Target = "https://93.184.216.34/";

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
}
