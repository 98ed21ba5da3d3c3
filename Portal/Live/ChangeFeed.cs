using System.Collections.Concurrent;
using Portal.Infrastructure.Persistence;

namespace Portal.Live;

/// <summary>Tells whoever watches a topic in this process that something changed: a hint to look again, without content.</summary>
/// <remarks>Topics are those of <see cref="Infrastructure.Persistence.Changes"/>. Hints that come while a subscriber is busy are folded into one (latest wins).</remarks>
public sealed class ChangeFeed(TimeProvider clock, ILogger<ChangeFeed> log)
{
    readonly TimeProvider clock = clock;
    readonly ILogger<ChangeFeed> log = log;
    readonly ConcurrentDictionary<string, ConcurrentDictionary<Subscription, byte>> topics = new();
    readonly HeardNames heard = new();
    long announcements;

    /// <summary>A staff screen looks again at most this often.</summary>
    public static readonly TimeSpan Throttle = TimeSpan.FromMilliseconds(200);

    /// <param name="changed">Runs outside any lock, never twice at once for one subscription.</param>
    public IDisposable Subscribe(string topic, Func<Task> changed, TimeSpan? throttle = null)
    {
        var subscription = new Subscription(this, topic, changed, throttle ?? Throttle);
        topics.GetOrAdd(topic, _ => new()).TryAdd(subscription, 0);
        return subscription;
    }

    public void Publish(IEnumerable<string> changed)
    {
        foreach (var topic in changed)
            if (topics.TryGetValue(topic, out var subscriptions))
                foreach (var subscription in subscriptions.Keys) subscription.Hint();
    }

    public void Publish(string topic) => Publish([topic]);

    /// <summary>Taken once, by whichever way it comes first.</summary>
    public void Hear(Announcement announcement)
    {
        if (announcement.Names.Count > 0 && !heard.Add(announcement.Names)) return;
        Interlocked.Increment(ref announcements);
        Heard?.Invoke(announcement.Topics);
        Publish(announcement.Topics);
    }

    /// <summary>All topics of each announcement, for whoever wants to know more than that one of its own changed. Whoever listens returns at once.</summary>
    public event Action<IReadOnlyCollection<string>>? Heard;

    /// <summary>How many were heard, for whoever wants to know whether any came in between.</summary>
    public long Announcements => Interlocked.Read(ref announcements);

    /// <summary>Whether somebody told of the commit that raised the page to this version.</summary>
    public bool HasHeardOf(long version) => heard.HasVersion(version);

    /// <summary>The highest version of the page that somebody told of; 0 before the first one.</summary>
    public long NewestVersion => heard.Newest;

    /// <summary>The database went back to an older state: everybody looks again, and versions are counted anew.</summary>
    public void WentBack()
    {
        heard.ForgetVersions();
        PublishAll();
    }

    /// <summary>After a time in which hints may have been lost: everybody looks again.</summary>
    public void PublishAll() => Publish(topics.Keys);

    sealed class Subscription(ChangeFeed feed, string topic, Func<Task> changed, TimeSpan throttle) : IDisposable
    {
        const int Idle = 0, Running = 1, Again = 2;
        readonly CancellationTokenSource stopped = new();
        /// <summary>What a watcher does is its own work, whoever made the change: its log lines name the watcher's user.</summary>
        readonly ExecutionContext? watcher = ExecutionContext.Capture();
        int state;

        public void Hint()
        {
            while (true)
            {
                var seen = Volatile.Read(ref state);
                if (seen == Again) return;
                if (Interlocked.CompareExchange(ref state, seen == Idle ? Running : Again, seen) != seen) continue;
                if (seen == Idle) Begin();
                return;
            }
        }

        void Begin()
        {
            if (watcher is null) _ = Task.Run(Run);
            else ExecutionContext.Run(watcher, self => _ = Task.Run(((Subscription)self!).Run), this);
        }

        async Task Run()
        {
            do
            {
                Volatile.Write(ref state, Running);
                if (stopped.IsCancellationRequested) return;
                try
                {
                    await changed();
                    await Task.Delay(throttle, feed.clock, stopped.Token);
                }
                catch (OperationCanceledException) { return; }
                catch (ObjectDisposedException) { return; }
                catch (Exception e)
                {
                    // One watcher's failure must not silence it for ever, nor reach the others.
                    feed.log.LogError(e, "A watcher of {Topic} failed", topic);
                }
            }
            while (Interlocked.CompareExchange(ref state, Idle, Running) != Running);
        }

        public void Dispose()
        {
            if (feed.topics.TryGetValue(topic, out var subscriptions)) subscriptions.TryRemove(this, out _);
            stopped.Cancel();
        }
    }
}
