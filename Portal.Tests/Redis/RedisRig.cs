using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Redis;
using Portal.Infrastructure.Security;
using Portal.Tests.Support;

namespace Portal.Tests.Redis;

/// <summary>What one node has of Redis: connection, bus and cache.</summary>
sealed class RedisRig : IAsyncDisposable
{
    readonly List<Announcement> heard = [];
    readonly string folder = Directory.CreateTempSubdirectory("portal-redis-").FullName;

    public RedisRig(string connection, string installation = "aaaa", byte[]? masterKey = null)
    {
        Assert.True(RedisSettings.TryRead(connection, out var settings, out var problem), problem);
        var known = new Installation();
        known.Is(installation);
        var file = Path.Combine(folder, "master.key");
        File.WriteAllBytes(file, masterKey ?? new byte[MasterKey.Length]);
        var key = new MasterKey(file);
        key.Load();
        Connection = new RedisConnection(settings, NodeName.OfThisProcess(), TimeProvider.System, Log.CreateLogger<RedisConnection>());
        Bus = new RedisBus(Connection, known, TimeProvider.System, Log.CreateLogger<RedisBus>());
        Bus.Heard += a => { lock (heard) heard.Add(a); };
        Store = new RedisStore(Connection, known, new SecretBox(key));
        Memory = new ProcessMemory(TimeProvider.System);
        Cache = new SharedCache(Store, Memory, TimeProvider.System, Log.CreateLogger<SharedCache>());
    }

    public LogLines Log { get; } = new();
    public RedisConnection Connection { get; }
    public RedisBus Bus { get; }
    public RedisStore Store { get; }
    public ProcessMemory Memory { get; }
    public SharedCache Cache { get; }

    public static async Task<RedisRig> Start(string connection, string installation = "aaaa", byte[]? masterKey = null)
    {
        var rig = new RedisRig(connection, installation, masterKey);
        await rig.Connection.StartAsync(default);
        await rig.Bus.StartAsync(default);
        return rig;
    }

    public bool HasHeard(string topic) { lock (heard) return heard.Exists(a => a.Topics.Contains(topic)); }

    public int MessagesHeard { get { lock (heard) return heard.Count; } }

    /// <summary>Says it again and again until the other has heard: how long that took.</summary>
    public async Task<TimeSpan> TellUntilHeard(RedisRig other, string topic)
    {
        var began = TimeProvider.System.GetTimestamp();
        await Soon.Comes(() =>
        {
            Bus.Tell(Announcement.Of([topic]));
            return other.HasHeard(topic);
        }, $"{topic} is heard by the other node");
        return TimeProvider.System.GetElapsedTime(began);
    }

    public async ValueTask DisposeAsync()
    {
        await Bus.StopAsync(default);
        await Connection.StopAsync(default);
        Bus.Dispose();
        Connection.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
