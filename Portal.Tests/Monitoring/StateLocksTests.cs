using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Tests.Monitoring;

public sealed class StateLocksTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task States_are_locked_in_the_order_in_which_whoever_deletes_locks_them()
    {
        var monitors = new[] { await EngineRig.Add(database), await EngineRig.Add(database) }.OrderBy(m => m.Id.ToString(), StringComparer.Ordinal).ToList();
        await using var first = database.Open();
        var epochs = await first.ShardLeases.ToDictionaryAsync(l => l.Shard, l => l.Epoch);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var connection = new Database();
        connection.Open(Database.Connect(database.ConnectionString, "states"));
        await using var deleter = await source.OpenConnectionAsync();
        await using var transaction = await deleter.BeginTransactionAsync();
        await Lock(monitors[0]);
        // In the order that would meet the deleter's.
        var states = monitors.AsEnumerable().Reverse().Select(m => SeenState.Of(new MonitorState(m.Id, TimeProvider.System.GetUtcNow()), m.Shard, epochs[m.Shard])).ToList();
        var storing = new CheckStore(connection, "node-a").Store([], states, default);
        await Soon.Comes(() => first.Database.SqlQuery<int>($"select count(*)::int as \"Value\" from pg_stat_activity where application_name = 'states' and wait_event_type = 'Lock'").SingleAsync().ContinueWith(t => t.Result == 1, TaskScheduler.Default), "the writer waits");
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
