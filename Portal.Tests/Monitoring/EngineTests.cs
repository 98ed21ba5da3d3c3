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
        var timeouts = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var rig = new EngineRig(database);
        rig.Probe.HangsAt = target => target.Contains("hung", StringComparison.Ordinal);
        rig.Probe.Hold = timeouts;
        await rig.Start();
        await rig.Until(() => rig.Probe.Looks.Count(l => l.Contains("hung", StringComparison.Ordinal)) == hung, "a thousand that wait");
        for (var turn = 1; turn <= 3; turn++)
        {
            var most = turn;
            await rig.Until(async () => await Read(db => db.Checks.CountAsync(c => c.Outcome == CheckOutcome.Up)) >= most * well, "results of the others", 0.5);
        }
        Assert.Equal(hung, rig.Probe.Looks.Count(l => l.Contains("hung", StringComparison.Ordinal)));
        // How late they begin is a figure of ./bench engine: this clock does not wait for a busy machine.

        // All of them at one moment, and again: a thousand outages, each once.
        rig.Probe.HangsAt = null;
        foreach (var n in Enumerable.Range(0, hung)) rig.Probe.Failing[$"https://hung.example/{n}"] = true;
        timeouts.SetResult();
        await rig.Until(async () => await Read(db => db.Outages.CountAsync(o => o.To == null)) == hung, "a thousand outages", 0.5);
        Assert.Equal(hung, await Read(db => db.Outages.CountAsync()));
        Assert.Equal(0, rig.Engine.DroppedResults);
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
        // The shards are held, and reading their monitors takes long.
        await using var slow = new Npgsql.NpgsqlConnection(database.ConnectionString);
        await slow.OpenAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        await using (var held = new Npgsql.NpgsqlCommand("lock table monitors in access exclusive mode", slow)) await held.ExecuteNonQueryAsync();
        await using var rig = await new EngineRig(database).Start();
        await rig.Until(() => rig.Engine.Held.Count == MonitorId.ShardCount, "all shards held");
        var began = rig.Clock.GetTimestamp();
        await rig.Until(() => rig.Clock.GetElapsedTime(began) > TimeSpan.FromSeconds(10), "several looks for what places found");
        Assert.Equal(0, rig.Engine.Watching);
        await transaction.CommitAsync();
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
