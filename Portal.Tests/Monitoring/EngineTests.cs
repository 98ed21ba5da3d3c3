using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

public sealed class EngineTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    static readonly TimeProvider Real = TimeProvider.System;

    public async Task InitializeAsync()
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("""
            delete from monitors; delete from check_results; delete from outages; delete from observation_gaps; delete from components; delete from live_nodes;
            update shard_leases set node = '', expires_at = clock_timestamp()
            """);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    async Task<T> Read<T>(Func<Infrastructure.Persistence.PortalDbContext, Task<T>> query)
    {
        await using var db = database.Open();
        return await query(db);
    }

    Task<int> Stored(MonitorId id) => Read(db => db.Checks.CountAsync(c => c.MonitorId == id));
    Task<Outage?> LatestOutage(MonitorId id) => Read(db => db.Outages.Where(o => o.MonitorId == id).OrderByDescending(o => o.From).FirstOrDefaultAsync());
    Task<MonitorState> State(MonitorId id) => Read(db => db.MonitorStates.SingleAsync(s => s.MonitorId == id));

    [Fact]
    public async Task A_new_monitor_is_checked_within_five_seconds_and_then_at_its_interval()
    {
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(() => rig.Engine.Held.Count == MonitorId.ShardCount, "all shards held");
        var monitor = await EngineRig.Add(database);
        var from = rig.Clock.GetTimestamp();
        await rig.Until(() => !rig.Probe.Looks.IsEmpty, "a first check", 0.1);
        Assert.InRange(rig.Clock.GetElapsedTime(from), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        from = rig.Clock.GetTimestamp();
        await rig.Until(async () => await Stored(monitor.Id) >= 6, "six results", 0.5);
        Assert.InRange(rig.Clock.GetElapsedTime(from).TotalSeconds, 4 * 10 + 5, 7 * 10);
        Assert.Equal(MonitorHealth.Up, (await State(monitor.Id)).Health);
    }

    [Fact]
    public async Task An_outage_is_opened_with_its_evidence_and_closed_again_and_customers_see_both()
    {
        var component = new Component("Shop", null, null, null, 0, TimeProvider.System.GetUtcNow());
        await using (var db = database.Open()) { db.Add(component); await db.SaveChangesAsync(); }
        var monitor = await EngineRig.Add(database, component: component.Id);
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Stored(monitor.Id) >= 2, "good results");
        var version = await Read(db => db.PageVersions.Select(p => p.Version).SingleAsync());

        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(async () => await LatestOutage(monitor.Id) is not null, "an outage");
        var open = (await LatestOutage(monitor.Id))!;
        Assert.Null(open.To);
        Assert.Equal((component.Id, ComponentStatus.MajorOutage, "Answered 500."), (open.ComponentId!.Value, open.Status, open.Cause));
        Assert.True(open.EarliestFrom < open.From);
        Assert.Equal(2, open.Evidence.Count);
        Assert.Equal(open.From, open.Evidence[0].At);
        var after = await Read(db => db.PageVersions.Select(p => p.Version).SingleAsync());
        Assert.True(after > version);

        await rig.Until(async () => await Read(db => db.Checks.CountAsync(c => c.MonitorId == monitor.Id && c.Outcome == CheckOutcome.Down)) >= 5, "more failures");
        rig.Probe.Failing[monitor.Target] = false;
        await rig.Until(async () => (await LatestOutage(monitor.Id))!.To is not null, "the end of the outage");
        var closed = (await LatestOutage(monitor.Id))!;
        Assert.Equal(open.Id, closed.Id);
        Assert.True(closed.Evidence.Count >= 5);
        Assert.True(closed.EarliestTo < closed.To);
        Assert.Equal(MonitorHealth.Up, (await State(monitor.Id)).Health);
        Assert.Equal(1, await Read(db => db.Outages.CountAsync()));
    }

    [Fact]
    public async Task Two_nodes_never_store_two_results_of_one_turn()
    {
        for (var i = 0; i < 20; i++) await EngineRig.Add(database, $"https://shop.example/{i}");
        var probe = new ScriptedProbe();
        await using var a = await new EngineRig(database, "node-a", probe: probe).Start();
        await using var b = await new EngineRig(database, "node-b", a.Clock, probe).Start();
        await a.Until(() => (a.Engine.Held.Count, b.Engine.Held.Count) == (MonitorId.ShardCount / 2, MonitorId.ShardCount / 2), "all shards held once");
        await a.Until(async () => await Read(db => db.Checks.CountAsync()) >= 100, "a hundred results", 0.5);
        Assert.Empty(a.Engine.Held.Keys.Intersect(b.Engine.Held.Keys));
        await using var db = database.Open();
        var times = (await db.Checks.AsNoTracking().Select(c => new { c.MonitorId, c.At }).ToListAsync()).GroupBy(c => c.MonitorId);
        foreach (var monitor in times)
            Assert.All(monitor.Select(c => c.At).Order().Zip(monitor.Select(c => c.At).Order().Skip(1)), pair => Assert.True(pair.Second - pair.First > TimeSpan.FromSeconds(4)));
    }

    [Fact]
    public async Task A_clean_stop_hands_over_at_once_and_the_epoch_rises()
    {
        var monitor = await EngineRig.Add(database);
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: 60).Start();
        await a.Until(async () => await Stored(monitor.Id) > 0, "a result");
        var before = a.Engine.Held[monitor.Shard];
        await a.Engine.StopAsync(default);
        await using var b = await new EngineRig(database, "node-b", leaseSeconds: 60).Start();
        await b.Until(() => b.Engine.Held.Count == MonitorId.ShardCount, "the takeover", 0);
        Assert.Equal(before + 1, b.Engine.Held[monitor.Shard]);
        await b.Until(async () => await Read(db => db.Checks.AnyAsync(c => c.Node == "node-b")), "a result of node b");
    }

    [Fact]
    public async Task A_node_that_comes_gets_its_share_with_all_that_was_found_and_one_that_leaves_gives_it_back_at_once()
    {
        var monitors = new List<Domain.Monitoring.Monitor>();
        for (var i = 0; i < 20; i++) monitors.Add(await EngineRig.Add(database, $"https://shop.example/{i}"));
        var probe = new ScriptedProbe();
        foreach (var monitor in monitors) probe.Failing[monitor.Target] = true;
        await using var a = await new EngineRig(database, "node-a", probe: probe, leaseSeconds: 60).Start();
        // One failure each: half way to an outage.
        await a.Until(() => monitors.TrueForAll(m => probe.Looks.Count(l => l == m.Target) == 1), "a first look at each", 0.1);
        var b = new EngineRig(database, "node-b", a.Clock, probe, leaseSeconds: 60);
        await b.Start();
        await a.Until(() => (a.Engine.Held.Count, b.Engine.Held.Count) == (MonitorId.ShardCount / 2, MonitorId.ShardCount / 2), "a half for each", 0.1);
        Assert.Empty(a.Engine.Held.Keys.Intersect(b.Engine.Held.Keys));
        await a.Until(async () => await Read(db => db.Outages.CountAsync(o => o.To == null)) == monitors.Count, "an outage of each");
        // The second failure, wherever it was found, confirmed the first.
        Assert.All(await Read(db => db.Outages.ToListAsync()), o => Assert.InRange(o.Evidence.Count, 1, 2));
        Assert.All(monitors, m => Assert.InRange(probe.Looks.Count(l => l == m.Target), 2, 4));
        // Without letting the clock move: node a was told.
        await b.DisposeAsync();
        await a.Until(() => a.Engine.Held.Count == MonitorId.ShardCount, "everything again", 0);
    }

    [Fact]
    public async Task A_thousand_targets_that_hang_keep_nobody_else_waiting()
    {
        const int hung = 1_000, well = 20;
        await using (var db = database.Open())
            await db.Database.ExecuteSqlAsync($"""
                insert into monitors (id, shard, name, kind, target, interval, timeout, failures_before_down, "window", successes_before_up, impact, expect_status, allow_private, critical, built_in, created_at, updated_at)
                select ('b0000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n % 256, 'Shop ' || n, 'Http', case when n < {hung} then 'https://hung.example/' else 'https://well.example/' end || n, '10 s', '10 s', 2, 2, 1, 'MajorOutage', '200-399', false, false, false, now(), now()
                from generate_series(0, {hung + well - 1}) n;
                insert into monitor_states (monitor_id, health, since, recent, epoch) select id, 'Unknown', now(), '[]', 0 from monitors
                """);
        var (timeouts, late) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), TimeSpan.Zero);
        await using var rig = new EngineRig(database);
        rig.Probe.HangsAt = target => target.Contains("hung", StringComparison.Ordinal);
        rig.Probe.Hold = timeouts;
        rig.Engine.Began += lag => { if (lag > late) late = lag; };
        await rig.Start();
        await rig.Until(() => rig.Probe.Looks.Count(l => l.Contains("hung", StringComparison.Ordinal)) == hung, "a thousand that wait");
        for (var turn = 1; turn <= 3; turn++)
        {
            var most = turn;
            await rig.Until(async () => await Read(db => db.Checks.CountAsync(c => c.Outcome == CheckOutcome.Up)) >= most * well, "results of the others", 0.5);
        }
        Assert.Equal(hung, rig.Probe.Looks.Count(l => l.Contains("hung", StringComparison.Ordinal)));
        // The clock of this test moves by half a second at a time.
        Assert.InRange(late, TimeSpan.Zero, TimeSpan.FromSeconds(1));

        // All of them at one moment, and again: a thousand outages, each once.
        rig.Probe.HangsAt = null;
        foreach (var n in Enumerable.Range(0, hung)) rig.Probe.Failing[$"https://hung.example/{n}"] = true;
        timeouts.SetResult();
        await rig.Until(async () => await Read(db => db.Outages.CountAsync(o => o.To == null)) == hung, "a thousand outages", 0.5);
        Assert.Equal(hung, await Read(db => db.Outages.CountAsync()));
        Assert.Equal(0, rig.Engine.DroppedResults);
    }

    [Fact]
    public async Task After_a_kill_the_leases_run_out_and_the_outage_is_neither_lost_nor_doubled()
    {
        var monitor = await EngineRig.Add(database);
        var probe = new ScriptedProbe();
        probe.Failing[monitor.Target] = true;
        var a = await new EngineRig(database, "node-a", probe: probe, leaseSeconds: 2).Start();
        await a.Until(async () => await LatestOutage(monitor.Id) is not null, "an outage");
        await a.Kill();
        await using var b = await new EngineRig(database, "node-b", a.Clock, probe, leaseSeconds: 2).Start();
        await b.Until(() => b.Engine.Held.Count == MonitorId.ShardCount, "the takeover");
        Assert.True(b.Engine.Held[monitor.Shard] >= 2);
        await b.Until(async () => await Read(db => db.Checks.AnyAsync(c => c.Node == "node-b")), "a result of node b");
        Assert.Equal(1, await Read(db => db.Outages.CountAsync()));
        Assert.Null((await LatestOutage(monitor.Id))!.To);
        probe.Failing[monitor.Target] = false;
        await b.Until(async () => (await LatestOutage(monitor.Id))!.To is not null, "the end of the outage");
        Assert.Equal(1, await Read(db => db.Outages.CountAsync()));
    }

    [Fact]
    public async Task What_a_node_found_under_a_lease_that_it_lost_is_discarded()
    {
        var monitor = await EngineRig.Add(database);
        await using var a = await new EngineRig(database, "node-a").Start();
        await a.Until(async () => await Stored(monitor.Id) > 0, "a result");
        // A look is on its way, and the target fails, when the lease is lost.
        var (stored, looks) = (await Stored(monitor.Id), a.Probe.Looks.Count);
        a.Probe.Failing[monitor.Target] = true;
        a.Probe.Hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await a.Until(() => a.Probe.Looks.Count > looks, "a look on its way");
        await using (var db = database.Open())
            await db.Database.ExecuteSqlRawAsync("update shard_leases set node = 'node-x', epoch = epoch + 1, expires_at = clock_timestamp() + interval '1 hour'");
        a.Probe.Hold.SetResult();
        await a.Until(() => a.Engine.Held.Count == 0, "the loss noticed", 10);
        Assert.Equal(stored, await Stored(monitor.Id));
        Assert.Null(await LatestOutage(monitor.Id));
        Assert.Equal(0, a.Engine.Watching);
    }

    [Fact]
    public async Task A_wall_clock_that_jumps_neither_floods_nor_stalls()
    {
        var monitor = await EngineRig.Add(database);
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Stored(monitor.Id) >= 2, "results");
        rig.Clock.SetWall(rig.Clock.GetUtcNow().AddHours(-3));
        var (looks, stored) = (rig.Probe.Looks.Count, await Stored(monitor.Id));
        rig.Clock.FastForward(TimeSpan.FromSeconds(9));
        var from = rig.Clock.GetTimestamp();
        await rig.Until(async () => await Stored(monitor.Id) >= stored + 3, "results after the jump");
        Assert.InRange(rig.Clock.GetElapsedTime(from).TotalSeconds, 10, 45);
        Assert.InRange(rig.Probe.Looks.Count - looks, 3, 5);
        rig.Clock.SetWall(rig.Clock.GetUtcNow().AddHours(6));
        looks = rig.Probe.Looks.Count;
        rig.Clock.FastForward(TimeSpan.FromSeconds(5));
        await rig.Witness(database);
        Assert.InRange(rig.Probe.Looks.Count(l => l == monitor.Target) - looks, 0, 1);
    }

    [Fact]
    public async Task An_outage_in_the_hour_after_the_clock_was_set_back_has_its_true_length_and_so_has_one_that_was_open_then()
    {
        var monitor = await EngineRig.Add(database);
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Stored(monitor.Id) >= 2, "results");
        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(async () => await LatestOutage(monitor.Id) is not null, "an outage");
        rig.Clock.SetWall(rig.Clock.GetUtcNow().AddHours(-3));
        await rig.Until(async () => await Read(db => db.Outages.CountAsync()) == 2, "its other half, by the new clock", 0.5);
        await Lasting(60);
        Assert.All(await Read(db => db.Outages.ToListAsync()), o => Assert.NotNull(o.To));
        var second = await Read(db => db.Outages.OrderBy(o => o.From).FirstAsync());
        Assert.InRange((second.To!.Value - second.From).TotalSeconds, 50, 90);

        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(async () => await Read(db => db.Outages.CountAsync()) == 3, "a third outage", 0.5);
        await Lasting(60);
        var third = await Read(db => db.Outages.OrderBy(o => o.From).Skip(1).FirstAsync());
        Assert.InRange((third.To!.Value - third.From).TotalSeconds, 50, 100);

        async Task Lasting(int seconds)
        {
            var from = rig.Clock.GetTimestamp();
            await rig.Until(() => rig.Clock.GetElapsedTime(from) > TimeSpan.FromSeconds(seconds), "a minute", 0.5);
            rig.Probe.Failing[monitor.Target] = false;
            await rig.Until(async () => await Read(db => db.Outages.AllAsync(o => o.To != null)), "its end", 0.5);
        }
    }

    [Fact]
    public async Task What_places_found_before_the_monitors_were_known_is_not_lost()
    {
        var monitor = await EngineRig.Add(database);
        var place = new ProbePlace("Frankfurt", Real.GetUtcNow());
        await using (var db = database.Open())
        {
            db.Add(place);
            var watched = await db.Monitors.SingleAsync(m => m.Id == monitor.Id);
            watched.Change(watched.Settings with { Places = [place.Id] }, Real.GetUtcNow());
            for (var i = 0; i < 500; i++)
                db.Add(new Infrastructure.Persistence.HeardCheck { Shard = monitor.Shard, MonitorId = monitor.Id, PlaceId = place.Id, PlaceName = place.Name, At = Real.GetUtcNow().AddSeconds(i - 600), Milliseconds = 5, Outcome = CheckOutcome.Up, StatusCode = null, Detail = null, Look = watched.Look });
            await db.SaveChangesAsync();
        }
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(async () => await Read(db => db.Checks.CountAsync(c => c.Node == "Frankfurt")) == 500, "all that was found", 0.1);
    }

    [Fact]
    public async Task A_pause_is_seen_within_two_seconds_ends_the_outage_and_is_a_gap_until_it_is_resumed()
    {
        var monitor = await EngineRig.Add(database);
        await using var rig = await new EngineRig(database).Start();
        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(async () => await LatestOutage(monitor.Id) is not null, "an outage");
        await rig.Change(database).Execute(new(monitor.Id, Paused: true), Cast.Bob, default);
        var from = rig.Clock.GetTimestamp();
        await rig.Until(async () => await Read(db => db.ObservationGaps.AnyAsync(g => g.MonitorId == monitor.Id && g.To == null)), "the gap", 0.1);
        Assert.InRange(rig.Clock.GetElapsedTime(from), TimeSpan.Zero, TimeSpan.FromSeconds(3));
        Assert.NotNull((await LatestOutage(monitor.Id))!.To);
        Assert.Equal(MonitorHealth.Unknown, (await State(monitor.Id)).Health);
        var looks = rig.Probe.Looks.Count;
        rig.Clock.FastForward(TimeSpan.FromMinutes(2));
        await rig.Witness(database);
        Assert.Equal(looks, rig.Probe.Looks.Count(l => l == monitor.Target));

        await rig.Change(database).Execute(new(monitor.Id, Paused: false), Cast.Bob, default);
        await rig.Until(() => rig.Probe.Looks.Count(l => l == monitor.Target) > looks, "a check after the pause", 0.1);
        await rig.Until(async () => await Read(db => db.ObservationGaps.AllAsync(g => g.To != null)), "the end of the gap");
        Assert.Equal("Paused", (await Read(db => db.ObservationGaps.SingleAsync())).Reason);
    }

    [Fact]
    public async Task Check_now_does_not_wait_for_the_next_turn()
    {
        var monitor = await EngineRig.Add(database, interval: 3600);
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(() => rig.Probe.Looks.Count == 1, "the first check");
        await new CheckMonitorNow(database.Contexts, rig.Clock).Execute(monitor.Id, Cast.Bob, default);
        await rig.Until(() => rig.Probe.Looks.Count == 2, "the check that was asked for", 0.01);
    }

    [Fact]
    public async Task A_deleted_monitor_is_checked_no_more_and_leaves_no_open_outage()
    {
        var monitor = await EngineRig.Add(database);
        await using var rig = await new EngineRig(database).Start();
        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(async () => await LatestOutage(monitor.Id) is not null, "an outage");
        await new DeleteMonitor(database.Contexts, rig.Clock).Execute(monitor.Id, Cast.Bob, default);
        await rig.Until(() => rig.Engine.Watching == 0, "the deletion seen");
        Assert.NotNull((await LatestOutage(monitor.Id))!.To);
        var looks = rig.Probe.Looks.Count;
        rig.Clock.FastForward(TimeSpan.FromMinutes(1));
        await rig.Witness(database);
        Assert.Equal(looks, rig.Probe.Looks.Count(l => l == monitor.Target));
    }

    [Fact]
    public async Task Results_are_written_in_batches_half_a_second_old_at_most_and_announced()
    {
        for (var i = 0; i < 50; i++) await EngineRig.Add(database, $"https://shop.example/{i}");
        await using var rig = await new EngineRig(database).Start();
        var announced = 0;
        await using var listener = new Npgsql.NpgsqlConnection(database.ConnectionString);
        await listener.OpenAsync();
        listener.Notification += (_, e) => { if (e.Payload.Contains(",checks", StringComparison.Ordinal) && e.Payload.StartsWith("monitor:", StringComparison.Ordinal)) announced++; };
        await using (var listen = new Npgsql.NpgsqlCommand($"listen {Infrastructure.Persistence.Changes.Channel}", listener)) await listen.ExecuteNonQueryAsync();
        await rig.Until(() => rig.Probe.Looks.Count >= 50, "a check of each", 0.1);
        rig.Clock.FastForward(TimeSpan.FromMilliseconds(500));
        await rig.Until(async () => await Read(db => db.Checks.CountAsync()) >= 50, "all results", 0);
        await listener.WaitAsync(TimeSpan.FromSeconds(5));
        Assert.True(announced > 0);
    }

    [Fact]
    public async Task A_component_that_is_deleted_lets_its_monitor_go_on_for_nobody()
    {
        var component = new Component("Gone soon", null, null, null, 0, TimeProvider.System.GetUtcNow());
        await using (var db = database.Open()) { db.Add(component); await db.SaveChangesAsync(); }
        var monitor = await EngineRig.Add(database, component: component.Id);
        await using var rig = await new EngineRig(database).Start();
        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(async () => await LatestOutage(monitor.Id) is not null, "an outage");
        await using (var db = database.Open()) await db.Database.ExecuteSqlAsync($"delete from components where id = {component.Id.Value}");
        await rig.Until(async () => await LatestOutage(monitor.Id) is { ComponentId: null, To: null }, "an outage of no component");
        Assert.Equal(1, await Read(db => db.Outages.CountAsync(o => o.ComponentId == component.Id && o.To != null)));
        var stored = await Stored(monitor.Id);
        await rig.Until(async () => await Stored(monitor.Id) > stored, "checks going on");
    }
}
