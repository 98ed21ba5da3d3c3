using System.Net;
using Npgsql;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Features.Metrics;
using Portal.Tests.Support;

namespace Portal.Tests.Metrics;

public sealed class OwnFiguresTests
{
    static readonly string[] All =
    [
        MetricNames.Requests, MetricNames.RequestTime, MetricNames.Queries, MetricNames.QueryErrors, MetricNames.QueryTime, MetricNames.Connections, MetricNames.Checks, MetricNames.CheckLag,
        MetricNames.Queue, MetricNames.Cache, MetricNames.Viewers, MetricNames.Circuits, MetricNames.Processor, MetricNames.Memory,
    ];

    [Fact]
    public async Task A_running_portal_stores_true_figures_of_itself()
    {
        await using var host = await PortalHost.Start();
        using var client = host.Client();
        var recorder = host.Get<TelemetryRecorder>();
        var now = TimeProvider.System.GetUtcNow();
        var span = new Interval(new DateTimeOffset(now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMinute, TimeSpan.Zero).AddMinutes(-2), now.AddMinutes(10));
        async Task<Measured> Stored()
        {
            await recorder.Record(default);
            return await host.Get<Measurements>().Load(All, span, TimeSpan.FromSeconds(10), default);
        }
        double Sum(Measured measured, string name, params (string, string)[] labels) => measured.Count(name, labels).Values.Sum();
        var before = Sum(await Stored(), MetricNames.Requests, ("status", "4xx"));
        for (var i = 0; i < 3; i++)
            await Assert.ThrowsAsync<PostgresException>(async () =>
            {
                await using var wrong = host.Get<Infrastructure.Persistence.Database>().Source.CreateCommand("select 1 / 0");
                await wrong.ExecuteScalarAsync();
            });
        for (var i = 0; i < 17; i++) Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/v2/nothing.json")).StatusCode);
        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live")).StatusCode);
        // An answer is counted a moment after it has arrived.
        var measured = await Soon.Reads(Stored, m => Sum(m, MetricNames.Requests, ("status", "4xx")) >= before + 17 && Sum(m, MetricNames.Checks) > 0 && m.Total(MetricNames.Queue, ("what", "outbox")).Count > 0, "the requests, a check, what is owed");
        Assert.Equal(before + 17, Sum(measured, MetricNames.Requests, ("status", "4xx")));
        Assert.Equal(Sum(measured, MetricNames.Requests) - Sum(measured, MetricNames.Requests, ("status", "1xx")), measured.Distribution(MetricNames.RequestTime).Values.Sum(b => b.Count));
        Assert.Equal(Sum(measured, MetricNames.Queries), measured.Distribution(MetricNames.QueryTime).Values.Sum(b => b.Count));
        Assert.Equal(Sum(measured, MetricNames.Checks), measured.Distribution(MetricNames.CheckLag).Values.Sum(b => b.Count));
        Assert.InRange(Sum(measured, MetricNames.Queries), 20, 5_000);
        Assert.InRange(Sum(measured, MetricNames.QueryErrors), 3, Sum(measured, MetricNames.Queries));
        double Last(string name, params (string, string)[] labels) => measured.Total(name, labels).Values.Last();
        Assert.InRange(Last(MetricNames.Connections), 1, 100);
        Assert.InRange(Last(MetricNames.Memory, ("what", "working set")), 20e6, 8e9);
        Assert.InRange(Last(MetricNames.Memory, ("what", "managed heap")), 0, 8e9);
        Assert.InRange(Last(MetricNames.Processor), 0, 100);
        // The portal's own monitor of the hub is a viewer for a moment.
        Assert.InRange(Last(MetricNames.Viewers), 0, 3);
        Assert.Equal(0, Last(MetricNames.Circuits));
        Assert.Contains("\nportal_telemetry_dropped_total 0", await client.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }
}
