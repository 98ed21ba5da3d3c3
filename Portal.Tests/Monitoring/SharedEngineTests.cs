using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

/// <summary>Two nodes on one database when something goes wrong between them and it.</summary>
public sealed class SharedEngineTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    const int Half = MonitorId.ShardCount / 2;

    public async Task InitializeAsync()
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("delete from monitors; delete from check_results; delete from outages; delete from observation_gaps; delete from live_nodes; update shard_leases set node = '', expires_at = clock_timestamp()");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    async Task<T> Read<T>(Func<PortalDbContext, Task<T>> query)
    {
        await using var db = database.Open();
        return await query(db);
    }

    Task<int> Stored(MonitorId id) => Read(db => db.Checks.CountAsync(c => c.MonitorId == id));
    Task<Outage?> LatestOutage(MonitorId id) => Read(db => db.Outages.Where(o => o.MonitorId == id).OrderByDescending(o => o.From).FirstOrDefaultAsync());
    async Task<T> Ask<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    Task<List<ShardLease>> Leases() => Read(db => db.ShardLeases.AsNoTracking().OrderBy(l => l.Shard).ToListAsync());

    async Task<List<Monitor>> Add(int count)
    {
        var monitors = new List<Monitor>();
        for (var i = 0; i < count; i++) monitors.Add(await EngineRig.Add(database, $"https://shop.example/{i}"));
        return monitors;
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
        var began = a.Clock.GetTimestamp();
        // One failure each: half way to an outage.
        await a.Until(() => monitors.TrueForAll(m => probe.Looks.Count(l => l == m.Target) == 1), "a first look at each", 0.1);
        var b = new EngineRig(database, "node-b", a.Clock, probe, leaseSeconds: 60);
        await b.Start();
        await a.Until(() => (a.Engine.Held.Count, b.Engine.Held.Count) == (MonitorId.ShardCount / 2, MonitorId.ShardCount / 2), "a half for each", 0.1);
        Assert.Empty(a.Engine.Held.Keys.Intersect(b.Engine.Held.Keys));
        await a.Until(async () => await Read(db => db.Outages.CountAsync(o => o.To == null)) == monitors.Count, "an outage of each");
        // The second failure, wherever it was found, confirmed the first.
        Assert.All(await Read(db => db.Outages.ToListAsync()), o => Assert.InRange(o.Evidence.Count, 1, 2));
        var turns = a.Clock.GetElapsedTime(began) / TimeSpan.FromSeconds(10);
        Assert.All(monitors, m => Assert.InRange(probe.Looks.Count(l => l == m.Target), 2, turns + 3));
        // Without letting the clock move: node a was told.
        await b.DisposeAsync();
        await a.Until(() => a.Engine.Held.Count == MonitorId.ShardCount, "everything again", 0);
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
    public async Task After_the_database_was_away_longer_than_a_lease_each_node_goes_on_with_its_own_and_nothing_is_lost()
    {
        var monitors = await Add(20);
        using var one = new DatabaseLine(database.ConnectionString);
        using var other = new DatabaseLine(database.ConnectionString);
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: 60, connectionString: one.ConnectionString).Start();
        await using var b = await new EngineRig(database, "node-b", a.Clock, a.Probe, leaseSeconds: 60, connectionString: other.ConnectionString).Start();
        await a.Until(() => (a.Engine.Held.Count, b.Engine.Held.Count) == (Half, Half), "an even share");
        await a.Until(async () => await Read(db => db.Checks.Select(c => c.MonitorId).Distinct().CountAsync()) == monitors.Count, "a result of each");
        var before = await Leases();

        one.Cut();
        other.Cut();
        foreach (var monitor in monitors) a.Probe.Failing[monitor.Target] = true;
        var looks = a.Probe.Looks.Count;
        // As if a minute had passed: the second node then has a minute for its return, however busy the machine is.
        await a.Until(async () =>
        {
            await Read(db => db.Database.ExecuteSqlRawAsync("update shard_leases set expires_at = clock_timestamp() - interval '1 second'; update live_nodes set expires_at = clock_timestamp() - interval '1 second'"));
            return a.Probe.Looks.Count > looks;
        }, "leases that ran out", 0.05);
        await a.Until(() => a.Probe.Looks.Count >= looks + 3 * monitors.Count, "checks without a database");
        foreach (var monitor in monitors) a.Probe.Failing[monitor.Target] = false;
        looks = a.Probe.Looks.Count;
        await a.Until(() => a.Probe.Looks.Count >= looks + 2 * monitors.Count, "good checks without a database");
        // One of them is back first, and finds all leases run out.
        one.Mend();
        await a.Until(() => Read(db => db.ShardLeases.AnyAsync(l => l.Node == "node-a" && l.ExpiresAt > DateTimeOffset.UtcNow)), "the first back", 0.05);
        other.Mend();
        await a.Until(() => Read(db => db.Outages.CountAsync(o => o.To != null)).ContinueWith(t => t.Result == monitors.Count, TaskScheduler.Default), "the outage of each that came and went meanwhile");
        Assert.Equal(before.Select(l => (l.Shard, l.Node, l.Epoch)), (await Leases()).Select(l => (l.Shard, l.Node, l.Epoch)));
        Assert.Equal((0, 0), (a.Engine.DroppedResults, b.Engine.DroppedResults));
        Assert.False(await Read(db => db.ObservationGaps.AnyAsync()));
    }

    [Fact]
    public async Task A_node_that_froze_in_the_midst_of_a_transaction_holds_nobody_up()
    {
        var monitors = await Add(2);
        using var line = new DatabaseLine(database.ConnectionString);
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: 2, connectionString: line.ConnectionString).Start();
        await a.Until(async () => await Read(db => db.Checks.Select(c => c.MonitorId).Distinct().CountAsync()) == monitors.Count, "a result of each");
        // Its rows are locked, and what would free them never comes.
        line.FreezeAt("INSERT INTO outages");
        foreach (var monitor in monitors) a.Probe.Failing[monitor.Target] = true;
        await a.Until(() => line.IsFrozen, "a transaction that stands still");
        await using var b = await new EngineRig(database, "node-b", a.Clock, a.Probe, leaseSeconds: 2).Start();
        await b.Until(() => b.Engine.Held.Count == MonitorId.ShardCount, "the takeover of every shard");
        await b.Until(async () => await Read(db => db.Outages.CountAsync(o => o.To == null)) == monitors.Count, "the outages, written by the other node");
        Assert.True(await Read(db => db.Checks.AnyAsync(c => c.Node == "node-b")));
        line.Mend();
        await b.Until(() => b.Engine.Held.Count == Half, "its share for the one that woke up", 0.1);
        Assert.Equal(monitors.Count, await Read(db => db.Outages.CountAsync()));
    }

    [Fact]
    public async Task Shards_that_could_not_be_handed_over_are_checked_on()
    {
        var monitors = await Add(20);
        using var line = new DatabaseLine(database.ConnectionString);
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: 60, connectionString: line.ConnectionString).Start();
        await a.Until(() => monitors.TrueForAll(m => a.Probe.Looks.Contains(m.Target)), "a look at each");
        // A newcomer; what was found cannot be written, so nothing is handed to it; and then it is gone.
        await using (var db = database.Open())
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await db.Database.ExecuteSqlRawAsync("select 1 from monitor_states for update");
            await using (var other = database.Open()) await other.Database.ExecuteSqlRawAsync("insert into live_nodes values ('node-x', clock_timestamp() + interval '1 hour', 'epoch')");
            await a.Until(() => a.Log.With("could not be handed over").Count > 0, "a hand-over that failed");
            await using (var other = database.Open()) await other.Database.ExecuteSqlRawAsync("delete from live_nodes where name = 'node-x'");
        }
        var looks = a.Probe.Looks.Count;
        await a.Until(() => monitors.TrueForAll(m => a.Probe.Looks.Skip(looks).Contains(m.Target)), "another look at each");
    }

    [Fact]
    public async Task A_consequence_that_waits_long_holds_its_lease_and_lets_it_be_renewed_also_while_shards_are_to_be_handed_over()
    {
        var lease = TimeSpan.FromSeconds(2);
        var monitor = await EngineRig.Add(database, failures: 1);
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: lease.TotalSeconds).Start();
        await a.Until(async () => await Read(db => db.MonitorStates.AnyAsync(s => s.MonitorId == monitor.Id && s.Health == MonitorHealth.Up)), "a good state");
        // The next look waits, and all before it is written.
        a.Probe.Hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var looks = a.Probe.Looks.Count;
        await a.Until(async () => a.Probe.Looks.Count > looks && await Stored(monitor.Id) == a.Probe.Looks.Count - 1, "a look on its way");
        await using var slow = new NpgsqlConnection(database.ConnectionString);
        await slow.OpenAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        await using (var held = new NpgsqlCommand($"select 1 from monitor_states where monitor_id = '{monitor.Id.Value}' for update", slow)) await held.ExecuteNonQueryAsync();
        a.Probe.Failing[monitor.Target] = true;
        a.Probe.Hold.SetResult();
        const string waiting = "select coalesce((select xact_start from pg_stat_activity where datname = current_database() and application_name = 'node-a' and wait_event_type = 'Lock' and query like '%monitor_states%'), 'epoch')";
        await a.Until(async () => await Ask<DateTime>(waiting) > DateTime.UnixEpoch, "an outage that waits to be written");
        var since = await Ask<DateTime>(waiting);
        // As whoever takes leases asks for them: not this one, it cannot change hands now.
        Assert.Equal(MonitorId.ShardCount - 1, await Ask<int>("with free as (select 1 from shard_leases order by shard for update skip locked) select count(*)::int from free"));
        await using (var db = database.Open()) await db.Database.ExecuteSqlRawAsync("insert into live_nodes values ('node-x', clock_timestamp() + interval '1 hour', 'epoch')");
        var before = await Read(d => d.ShardLeases.MinAsync(l => l.ExpiresAt));
        await a.Until(() => Read(d => d.ShardLeases.AllAsync(l => l.Node == "node-a" && l.ExpiresAt > before + lease / 2)), "leases renewed beside it", 0.1);
        Assert.Equal(since, await Ask<DateTime>(waiting));
        Assert.Empty(a.Log.With("handed 128"));
        await transaction.CommitAsync();
        await a.Until(() => a.Log.With("handed 128").Count == 1, "the hand-over");
        Assert.Equal(Half, a.Engine.Held.Count);
        Assert.NotNull(await LatestOutage(monitor.Id));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_taken_by_nobody_who_was_not_there_for_the_length_of_one()
    {
        await using var connection = new Database();
        connection.Open(Database.Connect(database.ConnectionString, "claims"));
        var claims = new ShardClaims(connection, "node-a", TimeSpan.FromSeconds(2));
        Assert.Equal((1, false), await claims.Announce(default));
        await Soon.Reads(() => claims.Announce(default), said => said.IsSteady, "there for the length of a lease");
        Assert.True(await Read(db => db.Database.SqlQuery<bool>($"select clock_timestamp() - steady_since >= interval '2 s' as \"Value\" from live_nodes where name = 'node-a'").SingleAsync()));
        // Away for longer than that, it begins anew; and so does a node at its start, which leaves alone what another one may come back to.
        await using (var db = database.Open())
            await db.Database.ExecuteSqlRawAsync("update live_nodes set expires_at = clock_timestamp() - interval '1 s'; update shard_leases set node = 'node-x', expires_at = clock_timestamp() - interval '1 s'");
        Assert.Equal((1, false), await claims.Announce(default));
        await using var b = await new EngineRig(database, "node-b", leaseSeconds: 2).Start();
        await b.Until(() => b.Engine.Held.Count >= Half, "what nobody came back to");
        Assert.True(await Read(db => db.Database.SqlQuery<bool>($"select clock_timestamp() - steady_since >= interval '2 s' as \"Value\" from live_nodes where name = 'node-b'").SingleAsync()));
    }

    [Fact]
    public async Task A_node_that_leaves_before_it_held_anything_is_counted_no_more()
    {
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: 60).Start();
        await a.Until(() => a.Engine.Held.Count == MonitorId.ShardCount, "all shards");
        await a.Kill();
        var b = await new EngineRig(database, "node-b", leaseSeconds: 60).Start();
        await b.Until(() => Read(db => db.LiveNodes.AnyAsync(n => n.Name == "node-b")), "its announcement");
        Assert.Empty(b.Engine.Held);
        await b.DisposeAsync();
        Assert.False(await Read(db => db.LiveNodes.AnyAsync(n => n.Name == "node-b")));
    }
}
