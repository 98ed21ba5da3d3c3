using System.Threading.Channels;
using Portal.Components;
using Portal.Domain.Metrics;
using Portal.Infrastructure.Metrics;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Metrics;

/// <param name="Every">How long one point spans.</param>
/// <param name="Waiting">So many times all points wait for the database at most; beyond them the oldest are given up.</param>
public sealed record TelemetrySettings(TimeSpan Every, int Waiting)
{
    /// <summary>An hour is kept while the database is away: some 2 MB.</summary>
    public static readonly TelemetrySettings Default = new(TimeSpan.FromSeconds(10), 360);
}

/// <summary>Stores every ten seconds what this process measured of itself. While the database is away points wait here, the oldest are given up first.</summary>
public sealed class TelemetryRecorder : BackgroundService
{
    /// <summary>Stored in one transaction at most: ten minutes.</summary>
    const int AtOnce = 60;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(5), LastWords = TimeSpan.FromSeconds(3);

    readonly Telemetry telemetry;
    readonly Database database;
    readonly TelemetrySettings settings;
    readonly TimeProvider clock;
    readonly ILogger<TelemetryRecorder> log;
    readonly PointStore store;
    readonly DatabaseContact contact;
    readonly Lock gate = new();
    readonly Queue<IReadOnlyList<MetricPoint>> waiting = new();
    readonly Channel<bool> filled = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly SemaphoreSlim writing = new(1);
    Reading last;
    DateTimeOffset lastAt, lastUntil;
    long dropped, collected, outbox = -1;

    public TelemetryRecorder(Telemetry telemetry, Database database, TelemetrySettings settings, TimeProvider clock, ILogger<TelemetryRecorder> log)
    {
        (this.telemetry, this.database, this.settings, this.clock, this.log) = (telemetry, database, settings, clock, log);
        (store, contact, last) = (new PointStore(database, clock), new DatabaseContact("The record of the portal's own figures", clock, log), telemetry.Nothing());
        lastUntil = clock.GetUtcNow();
    }

    /// <summary>Points that were given up since the start, because too many waited or the database refused them.</summary>
    public long Dropped { get { lock (gate) return dropped; } }

    /// <summary>The reading up to which points were made, and the time at which they end.</summary>
    public (Reading Reading, DateTimeOffset Until) Last { get { lock (gate) return (last, lastUntil); } }

    /// <summary>Reactions that all nodes together owe, when last looked at; null while nobody knows.</summary>
    public long? Outbox => Interlocked.Read(ref outbox) is >= 0 and var known ? known : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not at once: everything else starts first.
        await Task.Yield();
        await Task.WhenAll(Collect(stoppingToken), Write(stoppingToken));
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (!database.IsOpen) return;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LastWords);
        try
        {
            await Record(limit.Token);
        }
        catch (Exception e)
        {
            log.LogWarning("The portal's last figures could not be stored: {Reason}", e.Message);
        }
    }

    /// <summary>Takes what was measured since the last time and stores it with all that waits.</summary>
    public async Task Record(CancellationToken ct)
    {
        Collect(Floor(clock.GetUtcNow()));
        while (await WriteSome(ct)) { }
    }

    async Task Collect(CancellationToken ct)
    {
        while (true)
        {
            var next = Floor(clock.GetUtcNow()) + settings.Every;
            await Task.Delay(next - clock.GetUtcNow(), clock, ct);
            Collect(next - settings.Every);
        }
    }

    void Collect(DateTimeOffset at)
    {
        lock (gate)
        {
            // Always after the one before, also when the clock was set back.
            lastAt = at > lastAt ? at : lastAt.AddMilliseconds(1);
            var now = telemetry.Read();
            waiting.Enqueue(now.Since(last, lastAt, clock));
            (last, lastUntil) = (now, clock.GetUtcNow());
            if (++collected % (int)Math.Max(1, AddressTimes.Span / settings.Every) == 0) telemetry.Addresses.Turn();
            while (waiting.Count > settings.Waiting) dropped += waiting.Dequeue().Count;
        }
        filled.Writer.TryWrite(true);
    }

    async Task Write(CancellationToken ct)
    {
        await database.Opened.WaitAsync(ct);
        while (true)
            try
            {
                await filled.Reader.ReadAsync(ct);
                while (await WriteSome(ct)) { }
                Interlocked.Exchange(ref outbox, await OwedReactions(ct));
                contact.Found();
            }
            catch (Exception e) when (!ct.IsCancellationRequested && Refusal.IsDatabaseAway(e))
            {
                Interlocked.Exchange(ref outbox, -1);
                contact.Lost(e);
                filled.Writer.TryWrite(true);
                await Task.Delay(Pause, clock, ct);
            }
    }

    /// <returns>Whether there was anything.</returns>
    async Task<bool> WriteSome(CancellationToken ct)
    {
        await writing.WaitAsync(ct);
        try
        {
            List<IReadOnlyList<MetricPoint>> some;
            lock (gate) some = [.. waiting.Take(AtOnce)];
            if (some.Count == 0) return false;
            var stored = await TryStore([.. some.SelectMany(p => p)], ct);
            lock (gate)
                foreach (var points in some)
                {
                    var isCounted = !waiting.TryPeek(out var first) || !ReferenceEquals(first, points);
                    if (!isCounted) waiting.Dequeue();
                    // Given up while it was written, or refused.
                    if (isCounted == stored) dropped += stored ? -points.Count : points.Count;
                }
            return true;
        }
        finally
        {
            writing.Release();
        }
    }

    /// <returns>False when they are refused: kept, they would stop all after them.</returns>
    async Task<bool> TryStore(IReadOnlyList<MetricPoint> points, CancellationToken ct)
    {
        try
        {
            await store.Store(points, ct);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException && !Refusal.IsDatabaseAway(e))
        {
            log.LogError(e, "Some of the portal's own figures could not be stored and are given up");
            return false;
        }
    }

    async Task<long> OwedReactions(CancellationToken ct)
    {
        await using var command = database.Source.CreateCommand("select count(*) from outbox where done_at is null");
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }

    DateTimeOffset Floor(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % settings.Every.Ticks, TimeSpan.Zero);
}
