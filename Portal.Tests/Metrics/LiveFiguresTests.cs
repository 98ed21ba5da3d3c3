using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Metrics;
using Portal.Features.Metrics;
using Portal.Infrastructure;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Portal.Tests.Support;

namespace Portal.Tests.Metrics;

public sealed class LiveFiguresTests : IAsyncLifetime
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    readonly TestDatabase database = new();
    readonly FakeClock clock = new();
    readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    Histogram<double> requests = null!, checks = null!;
    TelemetryRecorder recorder = null!;
    Telemetry telemetry = null!;

    public async Task InitializeAsync()
    {
        await database.InitializeAsync();
        var meters = services.GetRequiredService<IMeterFactory>();
        requests = meters.Create("Microsoft.AspNetCore.Hosting").CreateHistogram<double>("http.server.request.duration", "s");
        checks = meters.Create("Portal").CreateHistogram<double>("portal.checks.lag", "s");
        telemetry = new Telemetry(meters, database.Database, new NodeName("here"), clock);
        await telemetry.StartAsync(default);
        recorder = new TelemetryRecorder(telemetry, database.Database, TelemetrySettings.Default, clock, NullLogger<TelemetryRecorder>.Instance);
    }

    public async Task DisposeAsync()
    {
        recorder.Dispose();
        telemetry.Dispose();
        await services.DisposeAsync();
        await database.DisposeAsync();
    }

    LiveFigures Figures(Database? other = null) =>
        new(telemetry, recorder, new Measurements(other ?? database.Database), new ChangeFeed(clock, NullLogger<ChangeFeed>.Instance), new NodeName("here"), clock, NullLogger<LiveFigures>.Instance);

    void Answer(int status, double ms, int times = 1)
    {
        for (var i = 0; i < times; i++) requests.Record(ms / 1000, new("http.response.status_code", status), new("http.route", "/api/v1/things/{id}"), new("http.request.method", "GET"));
    }

    /// <summary>Once there is a first view the clockwork runs.</summary>
    async Task Tick(LiveFigures figures, TimeSpan? by = null)
    {
        await Soon.Comes(() => figures.Now != LiveView.Empty, "the first view");
        var before = figures.Now;
        clock.FastForward(by ?? Second);
        await Soon.Comes(() => figures.Now != before, "the next second");
    }

    [Fact]
    public async Task A_fault_moves_the_figures_within_two_seconds_also_without_the_database()
    {
        await using var away = new Database();
        var figures = Figures(away);
        Answer(200, 20, 9);
        using var watching = figures.Watch();
        await Tick(figures);
        Assert.Equal((9, 0, 0), (figures.Now.Requests, figures.Now.Errors, figures.Now.ErrorShare));
        Answer(500, 400);
        checks.Record(0.001);
        var happened = clock.GetUtcNow();
        await Tick(figures);
        Assert.InRange(figures.Now.Points[^1].At - happened, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal((10, 1, 0.1), (figures.Now.Requests, figures.Now.Errors, figures.Now.ErrorShare));
        Assert.InRange(figures.Now.P95!.Value, 390, 410);
        Assert.True(figures.Now.ChecksPerSecond > 0);
        Assert.True(figures.Now.Points[^1].ErrorsPerSecond > 0);
        Assert.Equal("/api/v1/things/{id}", Assert.Single(telemetry.Addresses.Slowest(3)).Route);
        // A minute later it is over.
        for (var i = 0; i < 70; i++) await Tick(figures);
        Assert.Equal((0, 0, null), (figures.Now.Requests, figures.Now.Errors, figures.Now.P95));
    }

    [Fact]
    public async Task What_was_before_anybody_looked_and_what_other_nodes_do_comes_from_the_database()
    {
        var store = new PointStore(database.Database, clock);
        MetricSeries Of(string name, MetricKind kind, string node, string? status = null) => new(name, kind, "", status is null
            ? new Dictionary<string, string> { ["node"] = node } : new Dictionary<string, string> { ["node"] = node, ["status"] = status });
        var (mine, theirs, faults) = (Of(MetricNames.Requests, MetricKind.Counter, "here", "2xx"), Of(MetricNames.Requests, MetricKind.Counter, "there", "2xx"), Of(MetricNames.Requests, MetricKind.Counter, "there", "5xx"));
        var now = clock.GetUtcNow();
        var past = Enumerable.Range(1, 90).Select(i => now - TimeSpan.FromSeconds(10 * i)).ToList();
        await store.Store([.. past.SelectMany(at => new[] { new MetricPoint(mine, at, 20), new MetricPoint(theirs, at, 30), new MetricPoint(faults, at, 10) })], default);
        var figures = Figures();
        using var watching = figures.Watch();
        await Soon.Comes(() => figures.Now.Points.Count > 80, "the past");
        Assert.All(figures.Now.Points.Skip(2).SkipLast(1), p => Assert.Equal((6.0, 1.0), (p.RequestsPerSecond, p.ErrorsPerSecond)));
        Assert.Equal(1.0 / 6, figures.Now.ErrorShare!.Value, 0.001);
        Assert.InRange(figures.Now.Minutes.Count, 14, 15);
        Assert.All(figures.Now.Minutes.Skip(1).SkipLast(1), m => Assert.Equal((360.0, 60.0), (m.Requests, m.Errors)));
    }

    [Fact]
    public async Task Nothing_is_kept_while_nobody_looks_and_only_a_window_while_somebody_does()
    {
        var figures = Figures();
        Assert.Equal(0, figures.Kept);
        using (figures.Watch())
        {
            using (figures.Watch())
            {
                for (var i = 0; i < 120; i++)
                {
                    Answer(200, i);
                    await Tick(figures);
                }
                Assert.InRange(figures.Kept, 120, 500);
            }
            // One hour in steps of half a minute, each of which fires thirty seconds' ticks as one.
            for (var i = 0; i < 120; i++) await Tick(figures, TimeSpan.FromSeconds(30));
            Assert.InRange(figures.Kept, 10, 1_900);
            Assert.True(figures.Now.Points[0].At >= clock.GetUtcNow() - LiveFigures.Window - TimeSpan.FromMinutes(2));
        }
        Assert.Equal(0, figures.Kept);
        Assert.Same(LiveView.Empty, figures.Now);
    }
}
