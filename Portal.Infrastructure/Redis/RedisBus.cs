using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Portal.Infrastructure.Persistence;
using StackExchange.Redis;

namespace Portal.Infrastructure.Redis;

/// <summary>Announcements by Redis' publish and subscribe. What waits is bounded and folded into one message; what cannot be sent within 5 s is dropped and counted.</summary>
public sealed class RedisBus(RedisConnection redis, Installation installation, TimeProvider clock, ILogger<RedisBus> log) : BackgroundService, ILiveBus
{
    const int MostWaiting = 1_024;
    /// <summary>A folded message stays well below what any node reads; one that is longer by itself goes alone.</summary>
    const int FoldedLength = Announcement.LongestText / 2;

    readonly Channel<Announcement> waiting = Channel.CreateBounded<Announcement>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    long sent, received, lost;
    bool isFailing;

    public event Action<Announcement>? Heard;

    public BusFigures Figures => new(Interlocked.Read(ref sent), Interlocked.Read(ref received), Interlocked.Read(ref lost));

    public void Tell(Announcement announcement)
    {
        if (!waiting.Writer.TryWrite(announcement)) Interlocked.Increment(ref lost);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            RedisChannel channel = $"portal:{await installation.Known.WaitAsync(stoppingToken)}:live";
            var subscriber = (await redis.Made.WaitAsync(stoppingToken)).GetSubscriber();
            // While Redis is away this only notes the wish, which the client keeps at every connection.
            _ = Subscribe(subscriber, channel);
            while (await waiting.Reader.WaitToReadAsync(stoppingToken)) await Send(subscriber, channel, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { }
    }

    async Task Subscribe(ISubscriber subscriber, RedisChannel channel)
    {
        try
        {
            await subscriber.SubscribeAsync(channel, (_, text) => Hear(text));
        }
        catch (Exception e) when (e is RedisException or TimeoutException or OperationCanceledException or ObjectDisposedException)
        {
            log.LogDebug(e, "The subscription waits for Redis");
        }
    }

    void Hear(string? text)
    {
        Interlocked.Increment(ref received);
        if (text is not null) Heard?.Invoke(Announcement.Read(text));
    }

    async Task Send(ISubscriber subscriber, RedisChannel channel, CancellationToken ct)
    {
        var (topics, names) = Fold();
        try
        {
            // Without a connection the client refuses at once; one that hangs is waited for, while the rest waits here.
            await subscriber.PublishAsync(channel, new Announcement(topics, names).Text).WaitAsync(RedisSettings.Patience, clock, ct);
            Interlocked.Add(ref sent, names.Count);
            isFailing = false;
        }
        catch (Exception e) when (e is RedisException or TimeoutException or ObjectDisposedException)
        {
            Interlocked.Add(ref lost, names.Count);
            if (!isFailing && redis.IsConnected) log.LogWarning("Redis is connected and does not take announcements: {Reason}", e.GetType().Name);
            isFailing = true;
        }
    }

    (HashSet<string> Topics, List<string> Names) Fold()
    {
        var (topics, names, length) = (new HashSet<string>(), new List<string>(), 0);
        while (waiting.Reader.TryPeek(out var next) && (names.Count == 0 || length + 1 + next.Text.Length <= FoldedLength) && waiting.Reader.TryRead(out next))
        {
            length += 1 + next.Text.Length;
            topics.UnionWith(next.Topics);
            names.AddRange(next.Names);
        }
        return (topics, names);
    }
}

/// <summary>What sets this installation apart from others that use the same Redis: the id of its page, known once the database was read.</summary>
public sealed class Installation
{
    readonly TaskCompletionSource<string> known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<string> Known => known.Task;

    public string? Id { get; private set; }

    public void Is(string id)
    {
        Id = id;
        known.TrySetResult(id);
    }
}
