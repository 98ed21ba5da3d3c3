using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Portal.Infrastructure.Security;
using StackExchange.Redis;

namespace Portal.Infrastructure.Redis;

/// <param name="Hits">Found, by whoever computed it.</param>
/// <param name="Misses">Computed here.</param>
/// <param name="Joined">Waited for somebody in this process who computed the same already.</param>
/// <param name="Errors">Times that the store did not answer; while it rests after one, memory of the process is used.</param>
public readonly record struct CacheFigures(long Hits, long Misses, long Joined, long Errors)
{
    /// <summary>Between 0 and 1; null before anybody asked.</summary>
    public double? HitRate => Hits + Misses + Joined is > 0 and var all ? (double)(Hits + Joined) / all : null;
}

/// <summary>Gets or computes bytes that all nodes may share, for a while. Nothing that needs authorisation or is secret belongs in it.</summary>
/// <remarks>One computation at a time for a key in a process. Nobody waits for a store that does not answer: after one failure it is left alone for <see cref="Rest"/>.</remarks>
public sealed class SharedCache(ICacheStore store, ProcessMemory memory, TimeProvider clock, ILogger<SharedCache> log)
{
    public const int LargestValue = 1024 * 1024;
    /// <summary>A request asks the store no longer than this: computing is quicker than waiting.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250), Rest = TimeSpan.FromSeconds(5);
    static readonly TimeSpan ComputingPatience = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<string, Lazy<Task<byte[]>>> computing = new();
    long hits, misses, joined, errors, restUntil;

    public CacheFigures Figures => new(Interlocked.Read(ref hits), Interlocked.Read(ref misses), Interlocked.Read(ref joined), Interlocked.Read(ref errors));

    /// <summary>The store failed a moment ago and is left alone.</summary>
    public bool IsResting => clock.GetTimestamp() < Interlocked.Read(ref restUntil);

    /// <summary>Cancelled together with whoever asked; the computation itself goes on for the others who wait for it.</summary>
    public async Task<byte[]> GetOrCompute(string key, TimeSpan timeToLive, Func<CancellationToken, Task<byte[]>> compute, CancellationToken ct)
    {
        if (await Find(key) is { } found)
        {
            Interlocked.Increment(ref hits);
            return found;
        }
        var mine = new Lazy<Task<byte[]>>(() => Compute(key, timeToLive, compute));
        var theirs = computing.GetOrAdd(key, mine);
        Interlocked.Increment(ref ReferenceEquals(theirs, mine) ? ref misses : ref joined);
        return await theirs.Value.WaitAsync(ct);
    }

    async Task<byte[]> Compute(string key, TimeSpan timeToLive, Func<CancellationToken, Task<byte[]>> compute)
    {
        try
        {
            using var patience = new CancellationTokenSource(ComputingPatience, clock);
            var value = await Task.Run(() => compute(patience.Token));
            if (value.Length <= LargestValue) await Keep(key, value, Jittered(timeToLive));
            return value;
        }
        finally
        {
            computing.TryRemove(key, out _);
        }
    }

    async Task<byte[]?> Find(string key)
    {
        var asked = await Ask(() => store.Get(key));
        return asked.Answered ? asked.Value : await memory.Get(key);
    }

    async Task Keep(string key, byte[] value, TimeSpan timeToLive)
    {
        var kept = await Ask(async () =>
        {
            await store.Set(key, value, timeToLive);
            return value;
        });
        if (!kept.Answered) await memory.Set(key, value, timeToLive);
    }

    async Task<(bool Answered, byte[]? Value)> Ask(Func<Task<byte[]?>> ask)
    {
        if (IsResting) return (false, null);
        try
        {
            return (true, await ask().WaitAsync(Patience, clock));
        }
        catch (Exception e) when (e is RedisException or TimeoutException or CacheAwayException or MasterKeyAwayException or ObjectDisposedException or OperationCanceledException)
        {
            Interlocked.Increment(ref errors);
            Interlocked.Exchange(ref restUntil, clock.GetTimestamp() + (long)(Rest.TotalSeconds * clock.TimestampFrequency));
            log.LogDebug("The shared cache did not answer ({Reason}) and is left alone for {Seconds} s", e.GetType().Name, Rest.TotalSeconds);
            return (false, null);
        }
    }

    /// <summary>Up to a tenth shorter, so that what was computed together does not end together everywhere.</summary>
    static TimeSpan Jittered(TimeSpan timeToLive) => timeToLive * (1 - RandomNumberGenerator.GetInt32(1_000) / 10_000.0);
}
