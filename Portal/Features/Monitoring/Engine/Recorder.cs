using System.Collections.Concurrent;
using System.Threading.Channels;
using Portal.Components;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Live;

namespace Portal.Features.Monitoring.Engine;

/// <summary>
/// Brings what checks found into the database: results and states in batches at most 500 ms old, consequences at once.
/// While the database is away everything waits here in its order; beyond a bound the oldest raw results are given up, never a consequence.
/// </summary>
sealed class Recorder : IDisposable
{
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    readonly CheckStore store;
    readonly Consequences consequences;
    readonly TimeProvider clock;
    readonly ILogger<Recorder> log;
    readonly Channel<FoundCheck> results;
    readonly ConcurrentDictionary<Watched, byte> touched = new();
    readonly SemaphoreSlim flushing = new(1);
    readonly Bell any, urgent;
    readonly DatabaseContact contact;
    readonly int waiting, batchSize;
    List<FoundCheck> batch = [];
    long dropped;

    public Recorder(CheckStore store, Consequences consequences, TimeProvider clock, ILogger<Recorder> log, int waiting)
    {
        (this.store, this.consequences, this.clock, this.log) = (store, consequences, clock, log);
        (any, urgent, contact) = (new Bell(clock), new Bell(clock), new DatabaseContact("The record of checks", clock, log));
        (this.waiting, batchSize) = (waiting, Math.Min(EngineSettings.BatchSize, waiting));
        results = Channel.CreateBounded<FoundCheck>(
            new BoundedChannelOptions(waiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => Interlocked.Increment(ref dropped));
    }

    /// <summary>Raw results that were given up: too many waited, the database refused them, or another node runs their monitor since.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Raw results that are not written yet.</summary>
    public int Waiting => results.Reader.Count + batch.Count;

    public void Add(Watched watched, CheckResult result, string? place = null)
    {
        results.Writer.TryWrite(new FoundCheck(result, watched.Shard, watched.Epoch, place));
        Touch(watched);
    }

    public void Touch(Watched watched)
    {
        touched[watched] = 0;
        if (watched.HasUnsaved) urgent.Ring();
        any.Ring();
    }

    public async Task Run(CancellationToken ct)
    {
        var (failed, told) = (0, Dropped);
        while (true)
        {
            await any.Wait(ct);
            await urgent.Wait(EngineSettings.BatchAge, ct);
            try
            {
                // What comes meanwhile waits for the next turn, so that batches form.
                do await Flush(ct); while (results.Reader.Count >= batchSize);
                contact.Found();
                if (failed > 0 && Dropped > told) log.LogWarning("{Dropped} check results were given up meanwhile: too many waited, or another node runs their monitors since", Dropped - told);
                (failed, told) = (0, Dropped);
            }
            catch (Exception e) when (Refusal.IsDatabaseAway(e) && !ct.IsCancellationRequested)
            {
                failed++;
                contact.Lost(e);
                any.Ring();
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, 250 << Math.Min(failed, 6))), clock, ct);
            }
        }
    }

    /// <summary>Until nothing waits; more may come meanwhile, so it ends with what the buffer can hold.</summary>
    public async Task FlushAll(CancellationToken ct)
    {
        for (var flushes = 0; flushes <= waiting / batchSize && await Flush(ct); flushes++) { }
    }

    /// <returns>Whether more is waiting.</returns>
    async Task<bool> Flush(CancellationToken ct)
    {
        // The loop's own turn, a hand-over and the end of the process.
        await flushing.WaitAsync(ct);
        try
        {
            return await FlushAlone(ct);
        }
        finally
        {
            flushing.Release();
        }
    }

    async Task<bool> FlushAlone(CancellationToken ct)
    {
        while (batch.Count < batchSize && results.Reader.TryRead(out var found)) batch.Add(found);
        var seen = new List<Watched>();
        var urgentOnes = new List<Watched>();
        foreach (var watched in touched.Keys)
        {
            touched.TryRemove(watched, out _);
            (watched.HasUnsaved ? urgentOnes : seen).Add(watched);
        }
        try
        {
            await StoreBatch(seen, ct);
            await consequences.Save(urgentOnes, ct);
        }
        catch
        {
            foreach (var watched in seen.Concat(urgentOnes).Where(w => !w.IsDropped)) touched[watched] = 0;
            throw;
        }
        return results.Reader.Count > 0 || !touched.IsEmpty;
    }

    async Task StoreBatch(List<Watched> seen, CancellationToken ct)
    {
        if (batch.Count == 0 && seen.Count == 0) return;
        var states = new List<SeenState>(seen.Count);
        foreach (var watched in seen.Where(w => !w.IsDropped)) watched.Unsaved(s => states.Add(SeenState.Of(s, watched.Shard, watched.Epoch)));
        try
        {
            Interlocked.Add(ref dropped, batch.Count - await store.Store(batch, states, ct));
        }
        catch (Exception e) when (e is not OperationCanceledException && !Refusal.IsDatabaseAway(e))
        {
            // Kept, it would stop every batch after it.
            log.LogError(e, "{Count} check results could not be stored and are given up", batch.Count);
            Interlocked.Add(ref dropped, batch.Count);
        }
        batch = [];
    }

    public void Dispose() => flushing.Dispose();
}
