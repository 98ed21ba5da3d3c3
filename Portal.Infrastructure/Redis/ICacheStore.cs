using System.Security.Cryptography;
using Portal.Infrastructure.Security;
using StackExchange.Redis;

namespace Portal.Infrastructure.Redis;

/// <summary>Where computed bytes are kept for a while. An exception means that it cannot be asked at this moment.</summary>
public interface ICacheStore
{
    /// <returns>Null where nothing is kept, or not any more.</returns>
    Task<byte[]?> Get(string key);

    Task Set(string key, byte[] value, TimeSpan timeToLive);
}

/// <summary>Memory of the process: the first in is the first out once it is full.</summary>
public sealed class ProcessMemory(TimeProvider clock, long mostBytes = ProcessMemory.MostBytes) : ICacheStore
{
    public const long MostBytes = 32 * 1024 * 1024;
    const int PerEntry = 200;

    readonly Lock gate = new();
    readonly Dictionary<string, LinkedListNode<(string Key, byte[] Value, long Until)>> entries = [];
    readonly LinkedList<(string Key, byte[] Value, long Until)> order = new();

    /// <summary>What is kept, with a share for the keeping itself.</summary>
    public long Bytes { get; private set; }

    public Task<byte[]?> Get(string key)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(key, out var entry)) return Task.FromResult<byte[]?>(null);
            if (clock.GetTimestamp() < entry.Value.Until) return Task.FromResult<byte[]?>(entry.Value.Value);
            Remove(entry);
            return Task.FromResult<byte[]?>(null);
        }
    }

    public Task Set(string key, byte[] value, TimeSpan timeToLive)
    {
        var until = clock.GetTimestamp() + (long)(timeToLive.TotalSeconds * clock.TimestampFrequency);
        lock (gate)
        {
            if (entries.TryGetValue(key, out var before)) Remove(before);
            entries[key] = order.AddLast((key, value, until));
            Bytes += Size(key, value);
            while (Bytes > mostBytes) Remove(order.First!);
        }
        return Task.CompletedTask;
    }

    void Remove(LinkedListNode<(string Key, byte[] Value, long Until)> entry)
    {
        order.Remove(entry);
        entries.Remove(entry.Value.Key);
        Bytes -= Size(entry.Value.Key, entry.Value.Value);
    }

    static long Size(string key, byte[] value) => PerEntry + 2 * key.Length + value.Length;
}

/// <summary>Redis, shared by all nodes. Values are sealed under the master key, so that whoever can write there can make none up.</summary>
public sealed class RedisStore(RedisConnection redis, Installation installation, SecretBox box) : ICacheStore
{
    /// <summary>Raised when values of the same key mean something else: an older node then finds nothing of the newer one's, and the other way round.</summary>
    const int Schema = 1;

    public async Task<byte[]?> Get(string key)
    {
        var (database, name) = Way(key);
        byte[]? found = await database.StringGetAsync(name);
        if (found is null) return null;
        try
        {
            return box.Open(found, name);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    public async Task Set(string key, byte[] value, TimeSpan timeToLive)
    {
        var (database, name) = Way(key);
        await database.StringSetAsync(name, box.Seal(value, name), timeToLive);
    }

    (IDatabase Database, string Name) Way(string key) =>
        redis.Database is { } database && installation.Id is { } id ? (database, $"portal:{id}:cache{Schema}:{key}") : throw new CacheAwayException();
}

/// <summary>There is no connection to Redis, or it is not known yet whose values to ask for.</summary>
public sealed class CacheAwayException() : Exception("The cache cannot be asked at the moment.");
