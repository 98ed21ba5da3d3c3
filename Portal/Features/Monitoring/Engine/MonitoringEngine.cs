using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Live;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>
/// Runs the monitors of those shards that this node leases. Each of its loops is supervised: a failure is logged and the loop begins again.
/// The timetable and the checks go on while the database is away.
/// </summary>
public sealed class MonitoringEngine : BackgroundService
{
    readonly Database database;
    readonly TimeProvider clock;
    readonly CheckRunner runner;
    readonly ILogger<MonitoringEngine> log;
    readonly OwnShards shards;
    readonly Roster roster;
    readonly Recorder recorder;
    readonly Timetable timetable;
    readonly SemaphoreSlim slots = new(EngineSettings.ChecksAtOnce);
    readonly Intake intake;
    readonly DatabaseContact contact;
    readonly OwnConnection connection;
    long unjudged;

    public MonitoringEngine(Database database, TimeProvider clock, CheckRunner runner, EngineSettings settings, ILoggerFactory logs)
    {
        (this.database, this.clock, this.runner) = (database, clock, runner);
        log = logs.CreateLogger<MonitoringEngine>();
        contact = new DatabaseContact("Monitoring", clock, log);
        timetable = new Timetable(clock, new Random());
        var store = new CheckStore(database, settings.Node.Value);
        recorder = new Recorder(store, new Consequences(database, clock, logs.CreateLogger<Consequences>()), clock, logs.CreateLogger<Recorder>(), settings.Waiting);
        shards = new OwnShards(new ShardClaims(database, settings.Node.Value, settings.Lease), timetable, recorder, settings, contact, clock, log);
        roster = new Roster(database, shards, timetable, recorder, settings, contact, clock);
        intake = new Intake(new PlaceInbox(database), roster, timetable, recorder, settings, contact, clock, log);
        shards.Changed += roster.Bell.Ring;
        roster.Changed += intake.Bell.Ring;
        connection = new OwnConnection(settings.ConnectivityTargets, clock);
    }

    /// <summary>A check begins, so long after it was due.</summary>
    public event Action<TimeSpan>? Began;

    /// <summary>Shards that this node runs at the moment, with their epochs.</summary>
    public IReadOnlyDictionary<int, long> Held => shards.Held;

    /// <summary>Monitors that this node runs at the moment.</summary>
    public int Watching => timetable.All.Count;

    /// <summary>Raw results that were given up since the start, because too many waited for the database or it refused them.</summary>
    public long DroppedResults => recorder.Dropped;

    /// <summary>Failed checks that say nothing of their targets, because this node itself reached nothing.</summary>
    public long UnjudgedChecks => Interlocked.Read(ref unjudged);

    /// <summary>Raw results that wait to be written.</summary>
    public int WaitingResults => recorder.Waiting;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await database.Opened.WaitAsync(stoppingToken);
        await Task.WhenAll(
            Supervise(nameof(OwnShards), shards.Keep, stoppingToken), Supervise(nameof(Roster), roster.Follow, stoppingToken), Supervise(nameof(Check), Check, stoppingToken),
            Supervise(nameof(Recorder), recorder.Run, stoppingToken), Supervise(nameof(Listen), Listen, stoppingToken), Supervise(nameof(Intake), intake.Run, stoppingToken));
    }

    /// <summary>Writes what is left and gives the shards back, so that another node goes on at once.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await shards.Leave(either.Token);
    }

    public override void Dispose()
    {
        base.Dispose();
        recorder.Dispose();
        slots.Dispose();
    }

    async Task Supervise(string name, Func<CancellationToken, Task> loop, CancellationToken ct)
    {
        for (var failed = 0; !ct.IsCancellationRequested;)
            try
            {
                var began = clock.GetTimestamp();
                try
                {
                    await loop(ct);
                }
                catch (Exception e) when (!ct.IsCancellationRequested)
                {
                    failed = clock.GetElapsedTime(began) > TimeSpan.FromMinutes(1) ? 1 : failed + 1;
                    if (Components.Refusal.IsDatabaseAway(e)) contact.Lost(e, name);
                    else log.LogError(e, "Monitoring ({Loop}) failed and begins again", name);
                    await Task.Delay(TimeSpan.FromSeconds(Math.Min(5, 0.25 * (1 << Math.Min(failed, 6)))), clock, ct);
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
    }

    async Task Check(CancellationToken ct)
    {
        while (true)
        {
            foreach (var (watched, due) in timetable.Due())
                if (watched.TryStart()) _ = Check(watched, due, ct);
            await timetable.Changed.Wait(timetable.Wait(), ct);
        }
    }

    async Task Check(Watched watched, long due, CancellationToken ct)
    {
        try
        {
            await slots.WaitAsync(ct);
            try
            {
                Began?.Invoke(clock.GetElapsedTime(due));
                var monitor = watched.Monitor;
                var (at, began) = (watched.Stamp(clock.GetUtcNow()), clock.GetTimestamp());
                if (await runner.Look(monitor, ct) is not { } answer) timetable.Soon(watched, TimeSpan.FromSeconds(1));
                else if (await IsOurs(monitor, answer, began, ct)) LeaveUnjudged(watched, at);
                else
                {
                    var result = new CheckResult(watched.Id, at, answer.Duration, answer.Outcome, answer.StatusCode, answer.Detail);
                    if (watched.Take(result, monitor)) recorder.Add(watched, result);
                    if (answer.Outcome == CheckOutcome.Down) timetable.HurryCauses(monitor);
                }
            }
            finally
            {
                slots.Release();
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        catch (Exception e)
        {
            log.LogError(e, "A check of monitor {Monitor} failed by a fault of the portal", watched.Id);
        }
        finally
        {
            watched.Finish();
        }
    }

    /// <summary>Whether the failure is this node's own. What lies beside it in the same network is judged as ever; so is whoever answered something.</summary>
    async Task<bool> IsOurs(Monitor monitor, ProbeAnswer answer, long began, CancellationToken ct)
    {
        if (monitor.IsBuiltInTarget || monitor.AllowPrivate || monitor.Kind == MonitorKind.Heartbeat) return false;
        if (answer.Outcome == CheckOutcome.Up || answer.StatusCode is not null) connection.Reached();
        return answer.Outcome == CheckOutcome.Down && !await connection.Works(began, ct);
    }

    void LeaveUnjudged(Watched watched, DateTimeOffset at)
    {
        Interlocked.Increment(ref unjudged);
        watched.LeaveUnjudged(at);
        recorder.Touch(watched);
    }

    async Task Listen(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        connection.Notification += (_, e) => Hear(e);
        await using (var listen = new NpgsqlCommand($"listen {EngineSignals.CheckNow}; listen {ShardClaims.Channel}; listen {EngineSignals.Heard}; listen {Changes.Channel}", connection))
            await listen.ExecuteNonQueryAsync(ct);
        contact.Found(nameof(Listen));
        roster.Bell.Ring();
        intake.Bell.Ring();
        await Database.Hear(connection, ct);
    }

    void Hear(NpgsqlNotificationEventArgs e)
    {
        if (e.Channel == ShardClaims.Channel) shards.Bell.Ring();
        else if (e.Channel == EngineSignals.Heard) intake.Bell.Ring();
        else if (e.Channel == Changes.Channel && e.Payload.Split(',').Any(t => t is "monitors" or "components")) roster.Bell.Ring();
        else if (e.Channel == EngineSignals.CheckNow && Id.TryParse<MonitorId>(e.Payload, out var id) && timetable.Find(id) is { } watched) timetable.Soon(watched, TimeSpan.Zero);
    }
}
