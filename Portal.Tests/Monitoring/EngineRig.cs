using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Portal.Domain.Monitoring;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Engine;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>An engine on a real database, with targets that are a function and a clock that runs as fast as the test wants.</summary>
sealed class EngineRig : IAsyncDisposable
{
    readonly Database connection = new();
    readonly CancellationTokenSource ended = new();

    public EngineRig(TestDatabase database, string node = "node-a", FakeClock? clock = null, ScriptedProbe? probe = null, double leaseSeconds = 8, string? connectionString = null, int? waiting = null, params DnsEndPoint[] connectivity)
    {
        Clock = clock ?? new FakeClock(TimeProvider.System.GetUtcNow());
        Probe = probe ?? new ScriptedProbe();
        // A pool of its own, so that a test can cut off this node alone.
        connection.Open(Database.Connect(connectionString ?? database.ConnectionString, node));
        Engine = new MonitoringEngine(connection, Clock, new CheckRunner([Probe], new PortalAddress(Configured.Shipped, new NoServer()), Sealing.Secrets),
            new EngineSettings(new NodeName(node), TimeSpan.FromSeconds(leaseSeconds), TimeSpan.FromSeconds(Math.Min(2, leaseSeconds / 4)), TimeSpan.FromSeconds(2)) { Waiting = waiting ?? EngineSettings.WaitingResults, ConnectivityTargets = connectivity }, Log);
    }

    public LogLines Log { get; } = new();
    public FakeClock Clock { get; }
    public ScriptedProbe Probe { get; }
    public MonitoringEngine Engine { get; }

    public async Task<EngineRig> Start()
    {
        await Engine.StartAsync(default);
        return this;
    }

    /// <summary>What a person does to the configuration, by this rig's clock.</summary>
    public ChangeMonitor Change(TestDatabase database) => new(database.Contexts, new TargetConsent(new GuardedConnector(), Clock), Sealing.Secrets, Clock);

    /// <summary>Lets time pass in small steps until the condition holds; fails after a real minute.</summary>
    public async Task Until(Func<Task<bool>> condition, string what, double step = 0.25)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromMinutes(1)) Assert.Fail($"It never came to: {what}");
            if (step > 0) Clock.FastForward(TimeSpan.FromSeconds(step));
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, default);
        }
    }

    public Task Until(Func<bool> condition, string what, double step = 0.25) => Until(() => Task.FromResult(condition()), what, step);

    /// <summary>Until the engine has gone through its timetable once more: a monitor that is new by now was looked at.</summary>
    public async Task Witness(TestDatabase database)
    {
        var witness = await Add(database, $"https://witness.example/{Probe.Looks.Count}");
        await Until(() => Probe.Looks.Contains(witness.Target), "a look at the witness", 0.02);
    }

    /// <summary>The process is gone: nothing is released, nothing is written any more.</summary>
    public async Task Kill()
    {
        await connection.Source.DisposeAsync();
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await Engine.StopAsync(now.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await Engine.StopAsync(default);
        Engine.Dispose();
        await connection.DisposeAsync();
        ended.Dispose();
    }

    public static async Task<Monitor> Add(TestDatabase database, string target = "https://shop.example/", int interval = 10, int failures = 2, Portal.Domain.StatusPages.ComponentId? component = null, params MonitorId[] needs)
    {
        await using var db = database.Open();
        var now = TimeProvider.System.GetUtcNow();
        var monitor = new Monitor(new MonitorSettings("Shop", MonitorKind.Http, target, TimeSpan.FromSeconds(interval), TimeSpan.FromSeconds(5), component, failures, failures, DependsOn: needs), now);
        db.Add(monitor);
        db.Add(new MonitorState(monitor.Id, now));
        await db.SaveChangesAsync();
        return monitor;
    }

    public sealed class NoServer : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();
        public Task StartAsync<TContext>(Microsoft.AspNetCore.Hosting.Server.IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public void Dispose() { }
    }
}

/// <summary>A target that is a function of its address; it remembers who was asked.</summary>
sealed class ScriptedProbe : IProbe
{
    public ConcurrentDictionary<string, bool> Failing { get; } = new();
    /// <summary>Nothing comes back from there, not even a refusal.</summary>
    public volatile bool NothingAnswers;
    public ConcurrentQueue<string> Looks { get; } = new();
    /// <summary>While set, a look that has begun waits for it.</summary>
    public TaskCompletionSource? Hold { get; set; }
    /// <summary>Which looks wait; all unless set.</summary>
    public Func<string, bool>? HangsAt { get; set; }
    public MonitorKind Kind => MonitorKind.Http;

    public async Task<ProbeAnswer> Look(ProbeRequest request, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        Looks.Enqueue(request.Target.AbsoluteUri);
        if (Hold is { } hold && HangsAt?.Invoke(request.Target.AbsoluteUri) != false) await hold.Task.WaitAsync(ct);
        if (NothingAnswers) return new ProbeAnswer(CheckOutcome.Down, TimeSpan.FromSeconds(5), null, "No answer within 5 s.");
        return Failing.GetValueOrDefault(request.Target.AbsoluteUri)
            ? new ProbeAnswer(CheckOutcome.Down, TimeSpan.FromMilliseconds(7), 500, "Answered 500.")
            : new ProbeAnswer(CheckOutcome.Up, TimeSpan.FromMilliseconds(5), 200, null);
    }
}
