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
    readonly EngineSettings settings;
    readonly ILogger<MonitoringEngine> log;
    readonly ShardClaims claims;
    readonly CheckStore store;
    readonly Recorder recorder;
    readonly Timetable timetable;
    readonly SemaphoreSlim slots = new(EngineSettings.ChecksAtOnce);
    readonly Bell follow, keep;
    readonly Intake intake;
    readonly DatabaseContact contact;
    readonly OwnConnection connection;
    long unjudged;
    volatile Dictionary<int, long> held = [], loaded = [];
    volatile bool announced;
    /// <summary>Shards that are to be handed over once <see cref="flushed"/> has written what was found of them; only <see cref="Keep"/> touches both.</summary>
    HashSet<int>? leaving;
    Task flushed = Task.CompletedTask;

    public MonitoringEngine(Database database, TimeProvider clock, CheckRunner runner, EngineSettings settings, ILoggerFactory logs)
    {
        (this.database, this.clock, this.runner, this.settings) = (database, clock, runner, settings);
        log = logs.CreateLogger<MonitoringEngine>();
        contact = new DatabaseContact("Monitoring", clock, log);
        claims = new ShardClaims(database, settings.Node.Value, settings.Lease);
        store = new CheckStore(database, settings.Node.Value);
        recorder = new Recorder(store, new Consequences(database, logs.CreateLogger<Consequences>()), clock, logs.CreateLogger<Recorder>(), settings.Waiting);
        timetable = new Timetable(clock, new Random());
        (follow, keep) = (new Bell(clock), new Bell(clock));
        intake = new Intake(new PlaceInbox(database), timetable, recorder, clock, log);
        connection = new OwnConnection(settings.ConnectivityTargets, clock);
    }

    /// <summary>A check begins, so long after it was due.</summary>
    public event Action<TimeSpan>? Began;

    /// <summary>Shards that this node runs at the moment, with their epochs.</summary>
    public IReadOnlyDictionary<int, long> Held => held;

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
            Supervise(nameof(Keep), Keep, stoppingToken), Supervise(nameof(Follow), Follow, stoppingToken), Supervise(nameof(Check), Check, stoppingToken),
            Supervise(nameof(Recorder), recorder.Run, stoppingToken), Supervise(nameof(Listen), Listen, stoppingToken), Supervise(nameof(Intake), TakeIn, stoppingToken));
    }

    /// <summary>Writes what is left and gives the shards back, so that another node goes on at once.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!announced) return;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await FlushAll(either.Token);
            await claims.Leave(either.Token);
        }
        catch (Exception e)
        {
            log.LogWarning("The shards could not be given back, their leases run out by themselves: {Reason}", e.Message);
        }
        held = [];
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

    async Task Keep(CancellationToken ct)
    {
        while (true)
        {
            var before = held;
            var still = await claims.Renew(before, ct);
            var (nodes, isSteady) = await claims.Announce(ct);
            announced = true;
            var share = Share(nodes);
            foreach (var (shard, epoch) in await claims.Take(share - still.Count, [.. still.Keys], isSteady, ct)) still[shard] = epoch;
            held = still;
            contact.Found(nameof(Keep));
            if (before.Count != still.Count || before.Any(s => still.GetValueOrDefault(s.Key) != s.Value))
            {
                log.LogInformation("Node {Node} runs {Shards} of {All} shards of monitors", settings.Node, still.Count, MonitorId.ShardCount);
                foreach (var lost in timetable.All.Where(w => still.GetValueOrDefault(w.Shard) != w.Epoch)) timetable.Remove(lost);
                follow.Ring();
            }
            await HandOver(still, share, ct);
            // Whoever has peers looks more often for what a dead one held: within 10 s of its death somebody else runs it.
            await keep.Wait(share == MonitorId.ShardCount ? settings.Renew : settings.Renew / 2, ct);
        }
    }

    /// <summary>Shards of one node when so many live; rounded up, so that none is left over.</summary>
    static int Share(int nodes) => (MonitorId.ShardCount + nodes - 1) / nodes;

    /// <summary>To a node that came. What was found is written before the other one reads it, and beside this loop, which renews what is held meanwhile; a check that is on its way is not counted.</summary>
    async Task HandOver(Dictionary<int, long> still, int share, CancellationToken ct)
    {
        if (leaving is not { } shards)
        {
            if (still.Count <= share) return;
            leaving = shards = [.. still.Keys.Order().Skip(share)];
            foreach (var watched in Of(shards)) timetable.Rest(watched);
            flushed = FlushAll(ct);
            _ = flushed.ContinueWith(_ => keep.Ring(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            return;
        }
        if (!flushed.IsCompleted) return;
        leaving = null;
        if (flushed.IsCompletedSuccessfully && still.Count > share)
        {
            held = still.Where(s => !shards.Contains(s.Key)).ToDictionary();
            foreach (var watched in Of(shards)) timetable.Remove(watched);
            await claims.Release(shards, ct);
            log.LogInformation("Node {Node} handed {Shards} shards of monitors to a node that came", settings.Node, shards.Count);
            return;
        }
        // They stay ours for now, and are checked on.
        foreach (var watched in Of(shards)) timetable.Reschedule(watched, soon: true);
        if (flushed.Exception is { } why) log.LogWarning("Shards could not be handed over, because what was found is not written: {Reason}", why.InnerException!.Message);
    }

    /// <summary>Until nothing waits; more may come meanwhile, so it ends with what the buffer can hold.</summary>
    async Task FlushAll(CancellationToken ct)
    {
        for (var flushes = 0; flushes <= settings.Waiting / EngineSettings.BatchSize && await recorder.Flush(ct); flushes++) { }
    }

    IEnumerable<Watched> Of(HashSet<int> shards) => timetable.All.Where(w => shards.Contains(w.Shard));

    async Task Follow(CancellationToken ct)
    {
        while (true)
        {
            var shards = held;
            await Load(shards, ct);
            var before = loaded;
            loaded = shards;
            if (!ReferenceEquals(before, shards)) intake.Bell.Ring();
            contact.Found(nameof(Follow));
            await follow.Wait(settings.Follow, ct);
        }
    }

    async Task Load(IReadOnlyDictionary<int, long> shards, CancellationToken ct)
    {
        await using var db = database.CreateDbContext();
        var versions = shards.Count == 0 ? [] : await db.Monitors.AsNoTracking().Where(m => shards.Count == MonitorId.ShardCount || shards.Keys.Contains(m.Shard))
            .Select(m => new { m.Id, m.Version }).ToDictionaryAsync(m => m.Id, m => m.Version, ct);
        foreach (var gone in timetable.All.Where(w => w.IsDropped || !versions.ContainsKey(w.Id))) timetable.Remove(gone);
        var changed = versions.Where(v => timetable.Find(v.Key)?.Monitor.Version != v.Value).Select(v => v.Key).ToList();
        foreach (var some in changed.Chunk(1_000)) await Load(db, some, shards, ct);
    }

    async Task Load(PortalDbContext db, MonitorId[] ids, IReadOnlyDictionary<int, long> shards, CancellationToken ct)
    {
        var monitors = await db.Monitors.AsNoTracking().Where(m => ids.Contains(m.Id)).ToListAsync(ct);
        var states = await db.MonitorStates.AsNoTracking().Where(s => ids.Contains(s.MonitorId)).ToDictionaryAsync(s => s.MonitorId, ct);
        var gaps = (await db.ObservationGaps.AsNoTracking().Where(g => ids.Contains(g.MonitorId) && g.To == null).Select(g => g.MonitorId).ToListAsync(ct)).ToHashSet();
        foreach (var monitor in monitors)
        {
            if (timetable.Find(monitor.Id) is { } known) Change(known, monitor);
            else if (shards.TryGetValue(monitor.Shard, out var epoch) && held.GetValueOrDefault(monitor.Shard) == epoch)
            {
                var watched = new Watched(monitor, states.GetValueOrDefault(monitor.Id) ?? await Begin(db, monitor, ct), epoch, gaps.Contains(monitor.Id));
                watched.NoticePause();
                timetable.Add(watched);
                if (watched.HasUnsaved) recorder.Touch(watched);
            }
        }
    }

    void Change(Watched watched, Monitor monitor)
    {
        var before = watched.Monitor;
        watched.Follow(monitor, clock.GetUtcNow());
        var soon = before.PausedAt is not null || !before.FromHere || before.LooksOtherwiseThan(monitor);
        if (soon || before.Interval != monitor.Interval || !watched.LooksFromHere) timetable.Reschedule(watched, soon);
        if (watched.HasUnsaved) recorder.Touch(watched);
    }

    /// <summary>A monitor that came without its state row.</summary>
    static async Task<MonitorState> Begin(PortalDbContext db, Monitor monitor, CancellationToken ct)
    {
        var state = new MonitorState(monitor.Id, monitor.CreatedAt);
        db.Add(state);
        await db.SaveChangesAsync(ct);
        db.Entry(state).State = EntityState.Detached;
        return state;
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

    async Task TakeIn(CancellationToken ct)
    {
        while (true)
        {
            // Only of shards whose monitors are known by now: what waits for the others waits in the database.
            var known = loaded;
            var more = await intake.Take([.. held.Where(s => known.GetValueOrDefault(s.Key) == s.Value).Select(s => s.Key)], ct);
            contact.Found(nameof(Intake));
            if (!more) await intake.Bell.Wait(settings.Follow, ct);
        }
    }

    async Task Listen(CancellationToken ct)
    {
        await using var connection = await database.Source.OpenConnectionAsync(ct);
        connection.Notification += (_, e) => Hear(e);
        await using (var listen = new NpgsqlCommand($"listen {EngineSignals.CheckNow}; listen {ShardClaims.Channel}; listen {EngineSignals.Heard}; listen {Changes.Channel}", connection))
            await listen.ExecuteNonQueryAsync(ct);
        contact.Found(nameof(Listen));
        follow.Ring();
        intake.Bell.Ring();
        await Database.Hear(connection, ct);
    }

    void Hear(NpgsqlNotificationEventArgs e)
    {
        if (e.Channel == ShardClaims.Channel) keep.Ring();
        else if (e.Channel == EngineSignals.Heard) intake.Bell.Ring();
        else if (e.Channel == Changes.Channel && e.Payload.Split(',').Any(t => t is "monitors" or "components")) follow.Ring();
        else if (e.Channel == EngineSignals.CheckNow && Id.TryParse<MonitorId>(e.Payload, out var id) && timetable.Find(id) is { } watched) timetable.Soon(watched, TimeSpan.Zero);
    }
}
