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

    Task<List<ShardLease>> Leases() => Read(db => db.ShardLeases.AsNoTracking().OrderBy(l => l.Shard).ToListAsync());

    async Task<List<Monitor>> Add(int count)
    {
        var monitors = new List<Monitor>();
        for (var i = 0; i < count; i++) monitors.Add(await EngineRig.Add(database, $"https://shop.example/{i}"));
        return monitors;
    }

    [Fact]
    public async Task After_the_database_was_away_longer_than_a_lease_each_node_goes_on_with_its_own_and_nothing_is_lost()
    {
        var monitors = await Add(20);
        using var one = new DatabaseLine(database.ConnectionString);
        using var other = new DatabaseLine(database.ConnectionString);
        await using var a = await new EngineRig(database, "node-a", leaseSeconds: 2, connectionString: one.ConnectionString).Start();
        await using var b = await new EngineRig(database, "node-b", a.Clock, a.Probe, leaseSeconds: 2, connectionString: other.ConnectionString).Start();
        await a.Until(() => (a.Engine.Held.Count, b.Engine.Held.Count) == (Half, Half), "an even share");
        await a.Until(async () => await Read(db => db.Checks.Select(c => c.MonitorId).Distinct().CountAsync()) == monitors.Count, "a result of each");
        var before = await Leases();

        one.Cut();
        other.Cut();
        foreach (var monitor in monitors) a.Probe.Failing[monitor.Target] = true;
        var looks = a.Probe.Looks.Count;
        await a.Until(() => Read(db => db.ShardLeases.AllAsync(l => l.ExpiresAt < DateTimeOffset.UtcNow)), "leases that ran out", 0.05);
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

    [Fact]
    public async Task States_are_locked_in_the_order_in_which_whoever_deletes_locks_them()
    {
        var monitors = (await Add(2)).OrderBy(m => m.Id.ToString(), StringComparer.Ordinal).ToList();
        var epochs = (await Leases()).ToDictionary(l => l.Shard, l => l.Epoch);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var connection = new Database();
        connection.Open(Database.Connect(database.ConnectionString, "states"));
        await using var deleter = await source.OpenConnectionAsync();
        await using var transaction = await deleter.BeginTransactionAsync();
        await Lock(monitors[0]);
        // In the order that would meet the deleter's.
        var states = monitors.AsEnumerable().Reverse().Select(m => SeenState.Of(new MonitorState(m.Id, TimeProvider.System.GetUtcNow()), m.Shard, epochs[m.Shard])).ToList();
        var storing = new CheckStore(connection, "node-a").Store([], states, default);
        await Soon.Comes(() => Read(db => db.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from pg_stat_activity where application_name = 'states' and wait_event_type = 'Lock'").SingleAsync()).ContinueWith(t => t.Result == 1, TaskScheduler.Default), "the writer waits");
        await Lock(monitors[1]);
        await transaction.CommitAsync();
        await storing;

        async Task Lock(Monitor monitor)
        {
            await using var command = new NpgsqlCommand("set local lock_timeout = '500ms'; select 1 from monitor_states where monitor_id = $1 for update".Replace("$1", $"'{monitor.Id.Value}'", StringComparison.Ordinal), deleter);
            await command.ExecuteNonQueryAsync();
        }
    }
}
