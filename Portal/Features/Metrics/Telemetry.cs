using System.Diagnostics.Metrics;
using Portal.Domain.Metrics;
using Portal.Features.Health;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Metrics;

/// <summary>What this process measures of itself, heard from the instruments that the portal, ASP.NET Core, .NET and Npgsql have anyway. Hearing costs a request no memory and no lock.</summary>
public sealed class Telemetry : IHostedService, IDisposable
{
    delegate void Take(double measured, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    readonly IMeterFactory meters;
    readonly Database database;
    readonly TimeProvider clock;
    readonly string node;
    readonly Lock reading = new();
    readonly List<Measure> all = [];
    readonly Dictionary<(string Meter, string Instrument), Take> takes = [];
    readonly MeterListener listener = new();

    public Telemetry(IMeterFactory meters, Database database, NodeName node, TimeProvider clock)
    {
        (this.meters, this.database, this.clock, this.node) = (meters, database, clock, node.Value);
        HearRequests();
        HearDatabase();
        HearMonitoring();
        HearTheRest();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Scope is { } scope && scope != meters) return;
            if (takes.TryGetValue((instrument.Meter.Name, instrument.Name), out var take)) listening.EnableMeasurementEvents(instrument, take);
        };
        listener.SetMeasurementEventCallback<int>((_, measured, tags, take) => ((Take)take!)(measured, tags));
        listener.SetMeasurementEventCallback<long>((_, measured, tags, take) => ((Take)take!)(measured, tags));
        listener.SetMeasurementEventCallback<float>((_, measured, tags, take) => ((Take)take!)(measured, tags));
        listener.SetMeasurementEventCallback<double>((_, measured, tags, take) => ((Take)take!)(measured, tags));
        listener.Start();
        return Task.CompletedTask;
    }

    /// <summary>How long each address took lately.</summary>
    public AddressTimes Addresses { get; } = new();

    /// <summary>How far everything has come.</summary>
    public Reading Read()
    {
        lock (reading)
        {
            foreach (var measure in all) measure.Begin();
            listener.RecordObservableInstruments();
            return new Reading(clock.GetTimestamp(), [.. all.Select(m => (m, m.Read()))]);
        }
    }

    /// <summary>Before anything: what is read first is the difference to it.</summary>
    public Reading Nothing() => new(clock.GetTimestamp(), [.. all.Select(m => (m, default(Mark)))]);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => listener.Dispose();

    void HearRequests()
    {
        var classes = Enumerable.Range(1, 5).Select(n => Add(new Tally(Series(MetricNames.Requests, MetricKind.Counter, "", ("status", $"{n}xx"))))).ToArray();
        var times = Add(new Spread(Series(MetricNames.RequestTime, MetricKind.Distribution, "ms")));
        Hear("Microsoft.AspNetCore.Hosting", "http.server.request.duration", (seconds, tags) =>
        {
            if (Tag(tags, "http.response.status_code") is not int status || status is < 100 or > 599) return;
            classes[status / 100 - 1].Add();
            // A connection that was upgraded lasts as long as its page stays open: that is no response time.
            if (status < 200) return;
            times.Add(seconds * 1_000);
            if (Tag(tags, "http.route") is string route) Addresses.Add(Tag(tags, "http.request.method") as string ?? "", route, seconds * 1_000);
        });
    }

    void HearDatabase()
    {
        var (queries, errors) = (Add(new Tally(Series(MetricNames.Queries, MetricKind.Counter, ""))), Add(new Tally(Series(MetricNames.QueryErrors, MetricKind.Counter, ""))));
        var times = Add(new Spread(Series(MetricNames.QueryTime, MetricKind.Distribution, "ms")));
        HearOwn("db.client.operation.duration", (seconds, _) =>
        {
            queries.Add();
            times.Add(seconds * 1_000);
        });
        HearOwn("db.client.operation.failed", (count, _) => errors.Add((long)count));
        var (used, idle) = (Connections("used"), Connections("idle"));
        HearOwn("db.client.connection.count", (count, tags) => (Tag(tags, "db.client.connection.state") is "used" ? used : idle).Add(count));
        Observed Connections(string state) => Add(new Observed(Series(MetricNames.Connections, MetricKind.Gauge, "", ("state", state))));
    }

    void HearMonitoring()
    {
        var (checks, lag) = (Add(new Tally(Series(MetricNames.Checks, MetricKind.Counter, ""))), Add(new Spread(Series(MetricNames.CheckLag, MetricKind.Distribution, "ms"))));
        Hear(Figures.MeterName, "portal.checks.lag", (seconds, _) =>
        {
            checks.Add();
            lag.Add(seconds * 1_000);
        });
        foreach (var (instrument, what) in new[] { ("portal.checks.waiting", "results"), ("portal.outbox.waiting", "outbox"), ("portal.rollups.waiting", "rollups") })
            Observe(Figures.MeterName, instrument, new Observed(Series(MetricNames.Queue, MetricKind.Gauge, "", ("what", what))));
    }

    void HearTheRest()
    {
        var (hits, misses) = (Cache("hit"), Cache("miss"));
        // Who joined somebody else's computation was spared one.
        Hear(Figures.MeterName, "portal.cache.requests", (total, tags) => (Tag(tags, "result") is "miss" ? misses : hits).Add(total));
        Observe(Figures.MeterName, "portal.viewers", new Observed(Series(MetricNames.Viewers, MetricKind.Gauge, "")));
        var circuits = Add(new Running(Series(MetricNames.Circuits, MetricKind.Gauge, "")));
        Hear("Microsoft.AspNetCore.Components.Server.Circuits", "aspnetcore.components.circuit.active", (by, _) => circuits.Add((long)by));
        Observe("System.Runtime", "dotnet.process.cpu.time", new ProcessorShare(Series(MetricNames.Processor, MetricKind.Gauge, "%")));
        Observe("System.Runtime", "dotnet.process.memory.working_set", new Observed(Series(MetricNames.Memory, MetricKind.Gauge, "bytes", ("what", "working set"))));
        Observe("System.Runtime", "dotnet.gc.last_collection.heap.size", new Observed(Series(MetricNames.Memory, MetricKind.Gauge, "bytes", ("what", "managed heap"))));
        Observed Cache(string result) => Add(new Observed(Series(MetricNames.Cache, MetricKind.Counter, "", ("result", result))));
    }

    T Add<T>(T measure) where T : Measure
    {
        all.Add(measure);
        return measure;
    }

    void Hear(string meter, string instrument, Take take) => takes.Add((meter, instrument), take);

    void Observe(string meter, string instrument, Observed measure)
    {
        Add(measure);
        Hear(meter, instrument, (value, _) => measure.Add(value));
    }

    /// <summary>Of this portal's own pool: monitors that ask a PostgreSQL have others.</summary>
    void HearOwn(string instrument, Take take) => Hear("Npgsql", instrument, (measured, tags) =>
    {
        if (database.IsOpen && Tag(tags, "db.client.connection.pool.name") is string pool && pool == database.Source.ConnectionString) take(measured, tags);
    });

    MetricSeries Series(string name, MetricKind kind, string unit, params (string Name, string Value)[] labels) =>
        new(name, kind, unit, labels.Append((MetricSeries.Node, node)).ToDictionary());

    static object? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var tag in tags)
            if (tag.Key == name) return tag.Value;
        return null;
    }
}

/// <summary>How far this process's measures had come at one instant (monotonic).</summary>
public sealed class Reading
{
    readonly IReadOnlyList<(Measure Measure, Mark Mark)> marks;
    readonly long at;

    internal Reading(long at, IReadOnlyList<(Measure, Mark)> marks) => (this.at, this.marks) = (at, marks);

    /// <summary>What each series did since an earlier reading of the same process; those that did nothing that could be told are left out.</summary>
    /// <param name="from">The time that the points bear.</param>
    public IReadOnlyList<MetricPoint> Since(Reading before, DateTimeOffset from, TimeProvider clock) =>
        [.. marks.Zip(before.marks, (now, then) => now.Measure.Between(then.Mark, now.Mark, clock.GetElapsedTime(before.at, at), from)).OfType<MetricPoint>()];
}
