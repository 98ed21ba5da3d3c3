using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Portal.Infrastructure.Redis;

/// <summary>The one connection of this process to Redis. It is looked for in the background, for ever: nobody waits for it at the start or afterwards.</summary>
public sealed class RedisConnection(RedisSettings settings, NodeName node, TimeProvider clock, ILogger<RedisConnection> log) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    readonly TaskCompletionSource<ConnectionMultiplexer> made = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Lock gate = new();
    SocketRelay? relay;
    ConnectionMultiplexer? multiplexer;
    long lostAt;
    bool isLost;

    /// <summary>Completes when there is something to ask, which may not be connected at this moment.</summary>
    public Task<ConnectionMultiplexer> Made => made.Task;

    public bool IsConnected => multiplexer?.IsConnected == true;

    /// <summary>Null while there is no connection.</summary>
    public IDatabase? Database => multiplexer is { IsConnected: true } connected ? connected.GetDatabase() : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A name that is not found or a socket that cannot be opened throws even where a server that is down does not.
        while (!stoppingToken.IsCancellationRequested && !await Connect(stoppingToken))
            await Task.Delay(Pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task<bool> Connect(CancellationToken ct)
    {
        try
        {
            if (settings.Socket is { } socket) relay ??= new SocketRelay(socket, clock, log);
            IEnumerable<EndPoint> servers = relay is null ? settings.Servers : [relay.Address];
            var opened = await ConnectionMultiplexer.ConnectAsync(settings.For(servers, node.Value)).WaitAsync(2 * RedisSettings.Patience, clock, ct);
            opened.ConnectionFailed += (_, e) => Lost(e.FailureType.ToString());
            opened.ConnectionRestored += (_, _) => { if (opened.IsConnected) Found(); };
            multiplexer = opened;
            made.TrySetResult(opened);
            if (opened.IsConnected) log.LogInformation("Redis is connected");
            else Lost("no answer");
            return true;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // Its message may repeat the configuration.
            Lost(e.GetType().Name);
            return false;
        }
        catch (OperationCanceledException) { return false; }
    }

    void Lost(string reason)
    {
        lock (gate)
        {
            if (isLost) return;
            (isLost, lostAt) = (true, clock.GetTimestamp());
        }
        log.LogWarning("Redis cannot be reached ({Reason}): other nodes follow through the database, and nothing is cached between them", reason);
    }

    void Found()
    {
        lock (gate)
        {
            if (!isLost) return;
            isLost = false;
        }
        log.LogInformation("Redis is reached again, after {Seconds:0.0} s", clock.GetElapsedTime(lostAt).TotalSeconds);
    }

    public override void Dispose()
    {
        multiplexer?.Dispose();
        relay?.Dispose();
        base.Dispose();
    }
}
