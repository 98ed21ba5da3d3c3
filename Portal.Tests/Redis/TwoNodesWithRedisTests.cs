using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Portal.Tests.Support;

namespace Portal.Tests.Redis;

/// <summary>Two processes on one PostgreSQL whose notices reach neither of them, and a Redis that is shaken.</summary>
[Collection(Nodes.Name)]
[Trait("Category", "Slow")]
public sealed class TwoNodesWithRedisTests : IAsyncLifetime
{
    const string Key = "two-nodes-0123456789abcdef0123456789abcdef";
    readonly ScratchFolder first = new(), second = new();
    readonly List<PortalProcess> nodes = [];
    string connection = "";
    DeafLine line = null!;
    ShakenRedis redis = null!;

    public async Task InitializeAsync()
    {
        connection = await PostgresServer.Empty();
        line = new DeafLine(connection);
        redis = ShakenRedis.NotStarted("--requirepass", "hunter2");
    }

    public async Task DisposeAsync()
    {
        await Task.WhenAll(nodes.Select(n => n.DisposeAsync().AsTask()));
        await redis.DisposeAsync();
        line.Dispose();
        await PostgresServer.Drop(connection);
        first.Dispose();
        second.Dispose();
    }

    async Task<(Uri One, Uri Other)> Start(string follow)
    {
        foreach (var folder in new[] { first, second })
            nodes.Add(PortalProcess.Serve(folder.Path, new()
            {
                ["Database:ConnectionString"] = line.ConnectionString,
                ["Redis:ConnectionString"] = $"{redis.Address},password=hunter2",
                ["Security:MasterKeyFile"] = first["keys", "master.key"],
                ["Bootstrap:AdminEmail"] = "alice@example.com",
                ["Bootstrap:AdminPassword"] = "correct horse battery",
                ["Bootstrap:ApiKey"] = Key,
                ["Logging:Format"] = "plain",
                ["Timing:FollowSeconds"] = follow,
            }));
        var addresses = await Task.WhenAll(nodes.Select(n => n.Ready()));
        return (addresses[0], addresses[1]);
    }

    static async Task Add(Uri node, string name)
    {
        using var client = new HttpClient { BaseAddress = node };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        using var answer = await client.PostAsJsonAsync(new Uri("/api/v1/components", UriKind.Relative), new { name });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    /// <summary>From the answer to the writer until the open page at the other node shows it.</summary>
    static async Task<TimeSpan> Delay(Uri writer, OpenPage reader, string name)
    {
        var shows = reader.Shows(name);
        await Add(writer, name);
        var began = TimeProvider.System.GetTimestamp();
        await shows;
        return TimeProvider.System.GetElapsedTime(began);
    }

    static async Task<TimeSpan> Quickest(Uri writer, OpenPage reader, string names)
    {
        var quickest = TimeSpan.MaxValue;
        for (var i = 0; i < 4; i++)
            if (await Delay(writer, reader, $"{names} {i}") is var delay && delay < quickest) quickest = delay;
        return quickest;
    }

    static async Task<HttpStatusCode> Cache(Uri node)
    {
        using var client = new HttpClient { BaseAddress = node };
        using var answer = await client.GetAsync(new Uri("/health/parts/cache", UriKind.Relative));
        return answer.StatusCode;
    }

    [Fact]
    public async Task Redis_carries_a_change_to_the_other_nodes_viewers_within_a_second_also_after_it_hung_and_after_it_was_killed()
    {
        await redis.StartAgain();
        // Nobody asks the database for its version within this test: what arrives came by Redis.
        var (one, other) = await Start(follow: "600");
        foreach (var node in new[] { one, other }) await Soon.Comes(async () => await Cache(node) == HttpStatusCode.OK, "Redis is connected");
        using var reader = await OpenPage.At(other);
        await Delay(one, reader, "Warm");
        Assert.InRange(await Quickest(one, reader, "Quick"), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.True(line.Withheld > 0, "PostgreSQL told nobody, so nothing was withheld.");

        redis.Freeze();
        using var own = await OpenPage.At(one);
        // Neither whoever writes nor whoever reads at the same node notices.
        Assert.InRange(await Quickest(one, own, "Hung"), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        var late = reader.Shows("Hung 3");
        redis.Thaw();
        await late;

        redis.Kill();
        await Add(one, "Unheard");
        await redis.StartAgain();
        foreach (var node in new[] { one, other }) await Soon.Comes(async () => await Cache(node) == HttpStatusCode.OK, "Redis is connected again");
        Assert.InRange(await Quickest(one, reader, "Again"), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.All(nodes, n => Assert.DoesNotContain("hunter2", n.Output + string.Join('\n', n.Errors), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_redis_and_without_notices_the_other_nodes_viewers_see_it_within_five_seconds()
    {
        var (one, other) = await Start(follow: "2");
        using var reader = await OpenPage.At(other);
        await Delay(one, reader, "Warm");
        Assert.InRange(await Quickest(one, reader, "Never there"), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await Cache(one));
        await redis.StartAgain();
        await Soon.Comes(async () => await Cache(one) == HttpStatusCode.OK, "Redis is found once it is there");
    }
}
