using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Portal.Infrastructure.Redis;
using Portal.Tests.Support;

namespace Portal.Tests.Redis;

public class SharedCacheTests
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    readonly FakeClock clock = new();
    int computed;

    Func<CancellationToken, Task<byte[]>> Computing(params byte[] value) => _ =>
    {
        Interlocked.Increment(ref computed);
        return Task.FromResult(value);
    };

    SharedCache InMemory(long bytes = ProcessMemory.MostBytes)
    {
        var memory = new ProcessMemory(clock, bytes);
        return new SharedCache(memory, memory, clock, NullLogger<SharedCache>.Instance);
    }

    [Fact]
    public async Task It_computes_once_until_the_time_is_over()
    {
        var cache = InMemory();
        Assert.Equal([1], await cache.GetOrCompute("a", Minute, Computing(1), default));
        Assert.Equal([1], await cache.GetOrCompute("a", Minute, Computing(2), default));
        clock.FastForward(Minute);
        Assert.Equal([3], await cache.GetOrCompute("a", Minute, Computing(3), default));
        Assert.Equal((1, 2, 2), (cache.Figures.Hits, cache.Figures.Misses, computed));
    }

    [Fact]
    public async Task Many_who_ask_for_the_same_wait_for_one_computation_and_one_who_leaves_spoils_nothing()
    {
        var cache = InMemory();
        var gate = new TaskCompletionSource<byte[]>();
        Task<byte[]> Slowly(CancellationToken ct)
        {
            Interlocked.Increment(ref computed);
            return gate.Task;
        }
        using var leaving = new CancellationTokenSource();
        var first = cache.GetOrCompute("a", Minute, Slowly, leaving.Token);
        var others = Enumerable.Range(0, 50).Select(_ => cache.GetOrCompute("a", Minute, Slowly, default)).ToList();
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.SetResult([7]);
        Assert.All(await Task.WhenAll(others), v => Assert.Equal([7], v));
        Assert.Equal(1, computed);
        Assert.True(cache.Figures is { Misses: 1, Joined: 50 }, $"{cache.Figures}");
    }

    [Fact]
    public async Task A_failed_computation_is_not_kept()
    {
        var cache = InMemory();
        await Assert.ThrowsAsync<InvalidOperationException>(() => cache.GetOrCompute("a", Minute, _ => throw new InvalidOperationException(), default));
        Assert.Equal([1], await cache.GetOrCompute("a", Minute, Computing(1), default));
    }

    [Fact]
    public async Task Memory_is_bounded_in_bytes_and_too_large_a_value_is_not_kept()
    {
        var memory = new ProcessMemory(clock, 10_000);
        var cache = new SharedCache(memory, memory, clock, NullLogger<SharedCache>.Instance);
        for (var i = 0; i < 100; i++) await cache.GetOrCompute($"{i}", Minute, Computing(new byte[1_000]), default);
        Assert.InRange(memory.Bytes, 5_000, 10_000);
        Assert.NotNull(await memory.Get("99"));
        Assert.Null(await memory.Get("0"));
        await cache.GetOrCompute("huge", Minute, Computing(new byte[SharedCache.LargestValue + 1]), default);
        Assert.Null(await memory.Get("huge"));
        Assert.NotNull(await memory.Get("99"));
    }

    [Fact]
    public async Task What_one_node_computed_another_finds_and_nobody_without_the_master_key_can_make_up()
    {
        await using var redis = await ShakenRedis.Start();
        await using var one = await RedisRig.Start(redis.Address);
        await using var other = await RedisRig.Start(redis.Address);
        await using var forger = await RedisRig.Start(redis.Address, masterKey: RandomNumberGenerator.GetBytes(32));
        foreach (var rig in new[] { one, other, forger }) await Soon.Comes(() => rig.Connection.IsConnected, "Redis is connected");
        await one.Cache.GetOrCompute("a", Minute, Computing(1), default);
        Assert.Equal([1], await other.Cache.GetOrCompute("a", Minute, Computing(2), default));
        Assert.Equal((1, 1.0), (computed, other.Cache.Figures.HitRate));
        await forger.Store.Set("b", [6, 6, 6], Minute);
        Assert.Equal([6, 6, 6], await forger.Store.Get("b"));
        Assert.Equal([3], await other.Cache.GetOrCompute("b", Minute, Computing(3), default));
    }

    [Fact]
    public async Task Values_end_in_redis_by_themselves()
    {
        await using var redis = await ShakenRedis.Start();
        await using var one = await RedisRig.Start(redis.Address);
        await Soon.Comes(() => one.Connection.IsConnected, "Redis is connected");
        await one.Store.Set("a", [1], TimeSpan.FromSeconds(1));
        Assert.NotNull(await one.Store.Get("a"));
        await Soon.Comes(async () => await one.Store.Get("a") is null, "the value ended");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_redis_that_died_or_hangs_costs_one_short_wait_and_then_nothing_until_it_is_back(bool hangs)
    {
        await using var redis = await ShakenRedis.Start();
        await using var one = await RedisRig.Start(redis.Address);
        await Soon.Comes(() => one.Connection.IsConnected, "Redis is connected");
        await one.Cache.GetOrCompute("a", Minute, Computing(1), default);
        if (hangs) redis.Freeze();
        else redis.Kill();

        Assert.Equal([2], await one.Cache.GetOrCompute("b", Minute, Computing(2), default));
        Assert.True(one.Cache.IsResting);
        var began = TimeProvider.System.GetTimestamp();
        // From memory now: computed above, found here, without a question to Redis.
        for (var i = 0; i < 200; i++) Assert.Equal([2], await one.Cache.GetOrCompute("b", Minute, Computing(3), default));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(4));
        Assert.Equal(2, computed);
        Assert.InRange(one.Cache.Figures.Errors, 1, 3);

        if (hangs) redis.Thaw();
        else await redis.StartAgain();
        await Soon.Comes(async () =>
        {
            await one.Cache.GetOrCompute("c", Minute, Computing(4), default);
            try { return await one.Store.Get("c") is not null; }
            catch (CacheAwayException) { return false; }
            catch (StackExchange.Redis.RedisException) { return false; }
        }, "values are kept in Redis again");
    }
}
