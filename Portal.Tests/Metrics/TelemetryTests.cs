using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Features.Metrics;
using Portal.Infrastructure;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Metrics;

public sealed class TelemetryTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly TimeSpan Step = TimeSpan.FromSeconds(10);
    readonly FakeClock clock = new();

    public async Task InitializeAsync()
    {
        await using var clear = database.Database.Source.CreateCommand("truncate metric_points, metric_series, metric_minutes, metric_hours, metric_days, rollups_due");
        await clear.ExecuteNonQueryAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>One process with instruments of its own.</summary>
    sealed class Node : IAsyncDisposable
    {
        readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        readonly Histogram<double> requests;
        readonly Telemetry telemetry;

        public Node(string name, Database database, TimeProvider clock, TelemetrySettings? settings = null)
        {
            var meters = services.GetRequiredService<IMeterFactory>();
            requests = meters.Create("Microsoft.AspNetCore.Hosting").CreateHistogram<double>("http.server.request.duration", "s");
            meters.Create("Portal").CreateObservableGauge("portal.viewers", () => Viewers);
            telemetry = new Telemetry(meters, database, new NodeName(name), clock);
            telemetry.StartAsync(default);
            Recorder = new TelemetryRecorder(telemetry, database, settings ?? TelemetrySettings.Default, clock, NullLogger<TelemetryRecorder>.Instance);
        }

        public TelemetryRecorder Recorder { get; }
        public int Viewers { get; set; }

        public void Answer(object status, double ms) => requests.Record(ms / 1000, new KeyValuePair<string, object?>("http.response.status_code", status));

        public async ValueTask DisposeAsync()
        {
            Recorder.Dispose();
            telemetry.Dispose();
            await services.DisposeAsync();
        }
    }

    Task<Measured> Load(DateTimeOffset from, DateTimeOffset to, TimeSpan? step = null) =>
        new Measurements(database.Contexts).Load([MetricNames.Requests, MetricNames.RequestTime, MetricNames.Viewers, MetricNames.Processor], new Interval(from, to), step ?? Step, default);

    async Task<T> Read<T>(string sql)
    {
        await using var command = database.Database.Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    [Fact]
    public async Task Two_nodes_are_kept_apart_and_add_up_and_so_do_their_starts()
    {
        var begin = clock.GetUtcNow();
        await using var a = new Node("a", database.Database, clock) { Viewers = 3 };
        await using var b = new Node("b", database.Database, clock) { Viewers = 4 };
        for (var i = 0; i < 3; i++) a.Answer(200, 20);
        for (var i = 0; i < 5; i++) b.Answer(i < 3 ? 204 : 503, 200);
        // Upgraded: it lasts as long as the page is open, and is no response time.
        b.Answer(101, 3_600_000);
        await a.Recorder.Record(default);
        await b.Recorder.Record(default);
        clock.FastForward(Step);
        // A is killed and begins again; it counts from nothing.
        await using var again = new Node("a2", database.Database, clock) { Viewers = 1 };
        again.Answer(200, 50);
        await again.Recorder.Record(default);
        await b.Recorder.Record(default);

        var measured = await Load(begin, begin.AddMinutes(1));
        Assert.Equal([6, 1], measured.Count(MetricNames.Requests, ("status", "2xx")).Values);
        Assert.Equal([2, 0], measured.Count(MetricNames.Requests, ("status", "5xx")).Values);
        Assert.Equal([1, 0], measured.Count(MetricNames.Requests, ("status", "1xx")).Values);
        Assert.Equal([7, 5], measured.Total(MetricNames.Viewers).Values);
        var times = measured.Distribution(MetricNames.RequestTime).Values.ToList();
        Assert.Equal([8, 1], times.Select(t => t.Count));
        Assert.Equal((1060, 3 * 20 + 5 * 200), ((int)times[0].Sum, (int)Math.Round(times[0].Sum)));
        Assert.InRange(times[0].Percentile(0.5)!.Value, 196, 204);
        Assert.InRange(times[0].Percentile(0.25)!.Value, 19.6, 20.4);
        double[] Of(string node, string status) => [.. measured.Series.Single(s => s.Node == node && s.Series.Labels.GetValueOrDefault("status") == status).Buckets.Select(x => x.Sum)];
        Assert.Equal([3], Of("a", "2xx"));
        Assert.Equal([3, 0], Of("b", "2xx"));
        Assert.Equal([1], Of("a2", "2xx"));
    }

    [Fact]
    public async Task A_killed_node_leaves_a_gap_and_an_idle_one_a_zero()
    {
        var begin = clock.GetUtcNow();
        await using (var killed = new Node("killed", database.Database, clock))
        {
            killed.Answer(200, 5);
            await killed.Recorder.Record(default);
        }
        clock.FastForward(Step * 2);
        var gap = (await Load(begin, begin.AddMinutes(1))).Count(MetricNames.Requests, ("status", "2xx"));
        Assert.Equal([begin], gap.Keys);
        await using var idle = new Node("idle", database.Database, clock);
        await idle.Recorder.Record(default);
        clock.FastForward(Step);
        await idle.Recorder.Record(default);
        var count = (await Load(begin, begin.AddMinutes(1))).Count(MetricNames.Requests, ("status", "2xx"));
        Assert.Equal([(begin, 1.0), (begin + Step * 2, 0), (begin + Step * 3, 0)], count.Select(c => (c.Key, c.Value)));
        Assert.Empty((await Load(begin + Step, begin.AddMinutes(1))).Distribution(MetricNames.RequestTime));
    }

    [Fact]
    public async Task While_the_database_is_away_points_wait_in_their_order_and_the_oldest_are_given_up_and_counted()
    {
        var begin = clock.GetUtcNow();
        await using var away = new Database();
        await using var node = new Node("n", away, clock, new TelemetrySettings(Step, 5));
        for (var i = 0; i < 8; i++)
        {
            node.Answer(200, i);
            await Assert.ThrowsAsync<DatabaseAwayException>(() => node.Recorder.Record(default));
            clock.FastForward(Step);
        }
        away.Open(Database.Connect(database.ConnectionString));
        await node.Recorder.Record(default);
        var stored = (await Load(begin, begin.AddMinutes(5))).Count(MetricNames.Requests, ("status", "2xx"));
        Assert.Equal(Enumerable.Range(4, 5).Select(i => (begin + Step * i, i < 8 ? 1.0 : 0)), stored.Select(c => (c.Key, c.Value)));
        // Four times some fifteen series; those of response times only where there was one.
        Assert.InRange(node.Recorder.Dropped, 4 * 12, 4 * 18);
    }

    [Fact]
    public async Task What_was_measured_last_is_stored_when_a_node_stops_and_a_clock_that_is_set_back_loses_nothing()
    {
        var begin = clock.GetUtcNow();
        await using var node = new Node("n", database.Database, clock);
        node.Answer(200, 5);
        await node.Recorder.Record(default);
        clock.SetWall(begin.AddHours(-1));
        node.Answer(200, 5);
        await node.Recorder.StopAsync(default);
        Assert.Equal([2], (await Load(begin, begin.AddMinutes(1))).Count(MetricNames.Requests, ("status", "2xx")).Values);
    }

    [Fact]
    public async Task Hearing_of_a_request_costs_no_memory()
    {
        await using var node = new Node("n", database.Database, clock);
        object status = 200;
        void Answer(int times)
        {
            for (var i = 0; i < times; i++) node.Answer(status, 7);
        }
        Answer(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Answer(1_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 999);
        await node.Recorder.Record(default);
        Assert.Equal([1_100], (await Load(clock.GetUtcNow(), clock.GetUtcNow().AddMinutes(1))).Count(MetricNames.Requests, ("status", "2xx")).Values);
    }

    [Fact]
    public async Task Points_that_are_stored_twice_count_once()
    {
        var series = new MetricSeries("x", MetricKind.Counter, "", new Dictionary<string, string> { ["node"] = "n" });
        var spread = new MetricSeries("y", MetricKind.Distribution, "ms", new Dictionary<string, string> { ["node"] = "n", ["a"] = "b" });
        var histogram = new Histogram();
        histogram.Add(7);
        MetricPoint[] first = [new(series, clock.GetUtcNow(), 4), new(spread, clock.GetUtcNow(), 7, histogram)];
        var store = new PointStore(database.Database, clock);
        await store.Store(first, default);
        // Another process that knows nothing of the series, and one point more.
        await new PointStore(database.Database, clock).Store([.. first, new(series, clock.GetUtcNow() + Step, 5)], default);
        Assert.Equal((2L, 3L, 16.0), (await Read<long>("select count(*) from metric_series"), await Read<long>("select count(*) from metric_points"), await Read<double>("select sum(sum) from metric_points")));
    }

    [Fact]
    public async Task Minutes_hours_and_days_say_what_the_points_said()
    {
        var random = new Random(5);
        var begin = new DateTimeOffset(2026, 3, 2, 22, 0, 0, TimeSpan.Zero);
        await using var a = new Node("a", database.Database, clock);
        await using var b = new Node("b", database.Database, clock);
        clock.SetWall(begin);
        var (answers, times) = (0, new List<double>());
        for (var i = 0; i < 3 * 360; i++)
        {
            clock.SetWall(begin + Step * i);
            foreach (var node in new[] { a, b })
            {
                for (var n = random.Next(4); n > 0; n--)
                {
                    times.Add(Math.Exp(random.NextDouble() * 6));
                    node.Answer(200, times[^1]);
                    answers++;
                }
                node.Viewers = i % 7;
                await node.Recorder.Record(default);
            }
        }
        times.Sort();
        var end = begin.AddHours(3);
        async Task AllTell(TimeSpan step, DateTimeOffset from)
        {
            var measured = await Load(from, end + TimeSpan.FromTicks((step.Ticks - (end - from).Ticks % step.Ticks) % step.Ticks), step);
            Assert.Equal(answers, measured.Count(MetricNames.Requests, ("status", "2xx")).Values.Sum());
            var whole = Bucket.Merge(begin, measured.Distribution(MetricNames.RequestTime).Values);
            Assert.Equal(times.Count, whole.Count);
            Assert.InRange(whole.Percentile(0.95)!.Value, times[(int)Math.Ceiling(times.Count * 0.95) - 1] * 0.975, times[(int)Math.Ceiling(times.Count * 0.95) - 1] * 1.025);
            Assert.InRange(whole.Sum, times.Sum() * 0.999, times.Sum() * 1.001);
            Assert.All(measured.Total(MetricNames.Viewers).Values, v => Assert.InRange(v, 0, 12));
            Assert.InRange(measured.Total(MetricNames.Viewers).Values.Average(), 5.7, 6.3);
        }
        var rollups = new Rollups(database.Database);
        await AllTell(Step, begin);
        await AllTell(TimeSpan.FromMinutes(1), begin);
        await rollups.Make(begin.AddHours(1).AddMinutes(30), e => throw e, default);
        await AllTell(TimeSpan.FromMinutes(5), begin);
        for (var minute = 0; minute < 3; minute++) await rollups.Make(end.AddDays(2).AddMinutes(minute), e => throw e, default);
        Assert.Equal((360L, 2L), (await Read<long>("select count(*) from metric_minutes m join metric_series s on s.id = series_id where name = 'portal.viewers'"), await Read<long>("select count(distinct series_id) from metric_days d join metric_series s on s.id = series_id where name = 'portal.viewers'")));
        foreach (var step in new[] { Step, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1) }) await AllTell(step, begin);
        await AllTell(TimeSpan.FromDays(1), new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(0L, await Read<long>("select count(*) from rollups_due"));
    }
}
