using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Npgsql;
using Portal.Domain.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Processes that share monitors on one PostgreSQL, killed, stopped and continued.</summary>
[Collection(Nodes.Name)]
[Trait("Category", "Slow")]
public sealed class TwoNodesTests : IAsyncLifetime
{
    const string Key = "two-nodes-0123456789abcdef0123456789abcdef";
    const int Monitors = 20;
    readonly List<ScratchFolder> folders = [];
    readonly List<PortalProcess> nodes = [];
    readonly TargetServer target = TargetServer.Status(200);
    string connection = "";

    public async Task InitializeAsync() => connection = await PostgresServer.Empty();

    public async Task DisposeAsync()
    {
        await Task.WhenAll(nodes.Select(n => n.DisposeAsync().AsTask()));
        await target.DisposeAsync();
        await PostgresServer.Drop(connection);
        folders.ForEach(f => f.Dispose());
    }

    PortalProcess Start()
    {
        folders.Add(new ScratchFolder());
        var node = PortalProcess.Serve(folders[^1].Path, new()
        {
            ["Database:ConnectionString"] = connection,
            ["Security:MasterKeyFile"] = folders[0]["keys", "master.key"],
            ["Bootstrap:AdminEmail"] = "alice@example.com",
            ["Bootstrap:AdminPassword"] = "correct horse battery",
            ["Bootstrap:ApiKey"] = Key,
            ["Logging:Format"] = "plain",
        });
        nodes.Add(node);
        return node;
    }

    async Task<List<T>> Ask<T>(string query, Func<NpgsqlDataReader, T> read)
    {
        await using var source = NpgsqlDataSource.Create(connection);
        await using var command = source.CreateCommand(query);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(read(reader));
        return rows;
    }

    async Task<Dictionary<string, long>> Shares() =>
        (await Ask("select node, count(*) from shard_leases where expires_at > clock_timestamp() group by node", r => (Node: r.GetString(0), Shards: r.GetInt64(1)))).ToDictionary(r => r.Node, r => r.Shards);

    static string NameOf(PortalProcess node) => Regex.Match(node.Output, @"Node (\S+) runs").Groups[1].Value;

    async Task Add(Uri node)
    {
        using var client = new HttpClient { BaseAddress = node };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        await Soon.Comes(async () => (await client.GetAsync(new Uri("/api/v1/monitors?limit=1", UriKind.Relative))).IsSuccessStatusCode, "the key works");
        for (var i = 0; i < Monitors; i++)
        {
            using var answer = await client.PostAsJsonAsync(new Uri("/api/v1/monitors", UriKind.Relative), new { name = $"Shop {i}", kind = "http", target = $"{target.Address}{i}", intervalSeconds = 10, timeoutSeconds = 5, allowPrivate = true });
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }
    }

    /// <summary>With what the node said, and who waits for whom, where it does not come about.</summary>
    async Task Told(PortalProcess node, Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Xunit.Sdk.XunitException e)
        {
            var activity = await Ask("select coalesce(pg_blocking_pids(pid)::text, '') || ' ' || pid || ' ' || application_name || ' ' || state || ' ' || coalesce(wait_event, '-') || ' ' || left(query, 150) from pg_stat_activity where datname = current_database() and state <> 'idle'", r => r.GetString(0));
            var leases = await Ask("select node || ' ' || count(*) || ' ' || min(expires_at) || ' now ' || clock_timestamp() from shard_leases group by node union all select 'lives: ' || name || ' ' || expires_at || ' since ' || steady_since from live_nodes", r => r.GetString(0));
            Assert.Fail($"{e.Message}\n{string.Join('\n', leases)}\n{string.Join('\n', activity)}\n{node.Output}");
        }
    }

    /// <summary>Every monitor has a result of this node's.</summary>
    Task Checks(string node) => Soon.Comes(async () =>
        (await Ask($"select count(distinct monitor_id) from check_results c join monitors m on m.id = c.monitor_id join shard_leases s on s.shard = m.shard where m.name like 'Shop %' and s.node = '{node}' and c.node = '{node}'", r => r.GetInt64(0)))[0]
        == (await Ask($"select count(*) from monitors m join shard_leases s on s.shard = m.shard where m.name like 'Shop %' and s.node = '{node}'", r => r.GetInt64(0)))[0], $"results of {node}");

    [Fact]
    public async Task They_share_evenly_and_a_killed_or_a_stopped_node_is_replaced_within_ten_seconds_without_a_second_result()
    {
        var one = Start();
        var address = await one.Ready();
        await Add(address);
        var other = Start();
        await other.Ready();
        await Soon.Comes(async () => (await Shares()).Values.Order().SequenceEqual([MonitorId.ShardCount / 2, MonitorId.ShardCount / 2]), "an even share");
        var (first, second) = (NameOf(one), NameOf(other));
        await Checks(first);
        await Checks(second);

        one.Signal("KILL");
        var began = TimeProvider.System.GetTimestamp();
        await Soon.Comes(async () => (await Shares()).GetValueOrDefault(second) == MonitorId.ShardCount, "the other runs all");
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await Checks(second);

        var newcomer = Start();
        await newcomer.Ready();
        await Soon.Comes(async () => (await Shares()).Values.Order().SequenceEqual([MonitorId.ShardCount / 2, MonitorId.ShardCount / 2]), "an even share again");
        var third = NameOf(newcomer);
        other.Signal("STOP");
        began = TimeProvider.System.GetTimestamp();
        await Told(newcomer, () => Soon.Comes(async () => (await Shares()).GetValueOrDefault(third) == MonitorId.ShardCount, "the newcomer runs all"));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        // Under its own epoch, while the one that sleeps believes to hold them still.
        await Checks(third);
        other.Signal("CONT");
        await Soon.Comes(async () => (await Shares()).GetValueOrDefault(second) == MonitorId.ShardCount / 2, "the one that slept has its share back");
        await Checks(second);

        var results = (await Ask("select c.monitor_id, c.at, c.epoch from check_results c join monitors m on m.id = c.monitor_id where m.name like 'Shop %' order by c.at", r => (Monitor: r.GetGuid(0), At: r.GetFieldValue<DateTimeOffset>(1), Epoch: r.GetInt64(2)))).GroupBy(r => r.Monitor).ToList();
        Assert.Equal(Monitors, results.Count);
        Assert.All(results, of => Assert.All(of.Zip(of.Skip(1)), pair =>
        {
            // At most: the takeover, an interval, and the time over which what was missed is spread.
            Assert.InRange((pair.Second.At - pair.First.At).TotalSeconds, 4, 10 + 10 + 10 + 2);
            Assert.True(pair.Second.Epoch >= pair.First.Epoch, "A result under a lease that was lost.");
        }));
        Assert.Equal(0, (await Ask("select count(*) from outages", r => r.GetInt64(0)))[0]);
    }
}
