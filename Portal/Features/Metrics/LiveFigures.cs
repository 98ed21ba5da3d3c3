using Portal.Components;
using Portal.Domain.Metrics;
using Portal.Domain.Shared;
using Portal.Infrastructure;
using Portal.Live;

namespace Portal.Features.Metrics;

/// <summary>
/// The figures of this moment, for all who look: those of this node each second from its own instruments, those of other nodes every ten seconds from the database.
/// Nothing is computed or kept while nobody looks.
/// </summary>
public sealed class LiveFigures(Telemetry telemetry, TelemetryRecorder recorder, Measurements measurements, ChangeFeed feed, NodeName node, TimeProvider clock, ILogger<LiveFigures> log) : IDisposable
{
    /// <summary>Told whenever there is a new point.</summary>
    public const string Topic = "figures";
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(15), Step = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Stored = TimeSpan.FromSeconds(10), Minute = TimeSpan.FromMinutes(1), Pause = TimeSpan.FromSeconds(5);
    /// <summary>What a node stored that long ago is not taken for its present any more.</summary>
    static readonly TimeSpan Silent = TimeSpan.FromSeconds(25);
    static readonly string[] Names = [MetricNames.Requests, MetricNames.RequestTime, MetricNames.Checks];

    readonly Lock gate = new();
    readonly LinkedList<LiveStep> own = new();
    readonly LinkedList<LivePoint> points = new();
    readonly DatabaseContact contact = new("The live overview", clock, log);
    IReadOnlyList<LiveStep> others = [];
    IReadOnlyList<LiveMinute> minutes = [];
    LiveView now = LiveView.Empty;
    Reading? last;
    DateTimeOffset lastAt;
    CancellationTokenSource? watched;
    int watchers, ticks;
    bool hasPast;

    public LiveView Now => Volatile.Read(ref now);

    /// <summary>So many steps and points are kept at present.</summary>
    public int Kept { get { lock (gate) return own.Count + points.Count; } }

    /// <summary>Somebody looks until this is disposed. The first one starts the clockwork, the last one stops it.</summary>
    public IDisposable Watch()
    {
        lock (gate)
            if (watchers++ == 0)
            {
                watched = new CancellationTokenSource();
                var token = watched.Token;
                // Everybody's clockwork, not that of whoever came first.
                using (ExecutionContext.SuppressFlow()) _ = Task.Run(() => Run(token), CancellationToken.None);
            }
        return new Watcher(this);
    }

    void Leave()
    {
        lock (gate)
        {
            if (--watchers > 0) return;
            End();
            Forget();
        }
    }

    void Forget()
    {
        own.Clear();
        points.Clear();
        (others, minutes, last, ticks, hasPast) = ([], [], null, 0, false);
        Volatile.Write(ref now, LiveView.Empty);
    }

    async Task Run(CancellationToken ct)
    {
        while (true)
            try
            {
                var until = Begin(ct);
                // Asked beside the clockwork: a database that hangs holds up nothing.
                var asking = LookBack(until, ct);
                using var timer = new PeriodicTimer(Step, clock);
                do
                {
                    // Others store at the same ten seconds; a moment later it is there.
                    if (ticks % 10 == 5 && asking.IsCompleted)
                    {
                        await asking;
                        asking = hasPast ? LookAtOthers(ct) : LookBack(until, ct);
                    }
                    Tick(ct);
                    feed.Publish(Topic);
                }
                while (await timer.WaitForNextTickAsync(ct));
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested) { return; }
            catch (Exception e)
            {
                log.LogError(e, "The live overview failed and begins again");
                await Task.Delay(Pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
    }

    /// <returns>Until when this node stored what it measured; what it measured since then comes first.</returns>
    DateTimeOffset Begin(CancellationToken ct)
    {
        lock (gate)
        {
            ct.ThrowIfCancellationRequested();
            Forget();
            (last, lastAt) = recorder.Last;
            return lastAt;
        }
    }

    /// <summary>The past comes from the database, and goes before what was measured meanwhile.</summary>
    async Task LookBack(DateTimeOffset until, CancellationToken ct)
    {
        if (await Load(Window, ct) is not { } measured) return;
        var (past, foreign) = (LiveStep.Of(measured, n => n == node.Value), LiveStep.Of(measured, n => n != node.Value));
        lock (gate)
        {
            if (ct.IsCancellationRequested) return;
            foreach (var step in past.Where(s => s.At < until).Reverse()) own.AddFirst(step);
            (others, hasPast) = (foreign, true);
            for (var at = Floor(until); at >= clock.GetUtcNow() - Window; at -= Stored) points.AddFirst(PointAt(at));
            minutes = Minutes(clock.GetUtcNow());
            Show(clock.GetUtcNow());
        }
        feed.Publish(Topic);
    }

    async Task LookAtOthers(CancellationToken ct)
    {
        if (await Load(Window, ct) is not { } measured) return;
        var foreign = LiveStep.Of(measured, n => n != node.Value);
        lock (gate) if (!ct.IsCancellationRequested) others = foreign;
    }

    async Task<Measured?> Load(TimeSpan length, CancellationToken ct)
    {
        try
        {
            var to = Floor(clock.GetUtcNow()) + Stored;
            var measured = await measurements.Load(Names, new Interval(to - length, to), Stored, ct);
            contact.Found();
            return measured;
        }
        catch (Exception e) when (Refusal.IsDatabaseAway(e) && !ct.IsCancellationRequested)
        {
            contact.Lost(e);
            return null;
        }
    }

    void Tick(CancellationToken ct)
    {
        lock (gate)
        {
            if (ct.IsCancellationRequested) return;
            var (reading, at) = (telemetry.Read(), clock.GetUtcNow());
            // A clock that was set back begins anew: the chart cannot run backwards.
            if (at < lastAt - Stored)
            {
                own.Clear();
                points.Clear();
                lastAt = at - Step;
            }
            if (at > lastAt)
            {
                own.AddLast(LiveStep.Of(lastAt, at - lastAt, reading.Since(last!, lastAt, clock)));
                points.AddLast(PointAt(at));
                while (own.First!.Value.End < at - Window) own.RemoveFirst();
                while (points.First!.Value.At < at - Window) points.RemoveFirst();
                (last, lastAt) = (reading, at);
            }
            if (ticks++ % 5 == 0) minutes = Minutes(at);
            Show(at);
        }
    }

    void Show(DateTimeOffset at)
    {
        var whole = Within(at - Minute, at);
        Volatile.Write(ref now, new LiveView([.. points], minutes, whole.Times.Percentile(0.95), whole.Requests, whole.Errors, Rate(whole, s => s.Checks) ?? 0));
    }

    LivePoint PointAt(DateTimeOffset at)
    {
        var some = Within(at - Stored, at);
        return new LivePoint(at, some.Times.Percentile(0.95), some.Times.Percentile(0.5), Rate(some, s => s.Requests), Rate(some, s => s.Errors), Rate(some, s => s.Checks));
    }

    static double? Rate(LiveStep step, Func<LiveStep, double> count) => step.Length > TimeSpan.Zero ? count(step) / step.Length.TotalSeconds : null;

    /// <summary>This node's steps that ended in that time and, as they come later, as much of the others' latest. Its length is that of this node's.</summary>
    LiveStep Within(DateTimeOffset from, DateTimeOffset to)
    {
        var mine = Between(own.Reverse(), from, to);
        var end = others.Count > 0 && others[^1].End is var theirs && theirs < to && theirs > to - Silent ? theirs : to;
        var foreign = Between(others.Reverse(), end - (to - from), end);
        mine.Times.Merge(foreign.Times);
        var length = mine.Length > TimeSpan.Zero ? mine.Length : foreign.Length;
        double Scaled(double count) => foreign.Length > TimeSpan.Zero ? count * length / foreign.Length : 0;
        return mine with { Length = length, Requests = mine.Requests + Scaled(foreign.Requests), Errors = mine.Errors + Scaled(foreign.Errors), Checks = mine.Checks + Scaled(foreign.Checks) };
    }

    static LiveStep Between(IEnumerable<LiveStep> latestFirst, DateTimeOffset from, DateTimeOffset to)
    {
        var (length, requests, errors, checks, times) = (TimeSpan.Zero, 0.0, 0.0, 0.0, new Histogram());
        foreach (var step in latestFirst.SkipWhile(s => s.End > to).TakeWhile(s => s.End > from))
        {
            (length, requests, errors, checks) = (length + step.Length, requests + step.Requests, errors + step.Errors, checks + step.Checks);
            times.Merge(step.Times);
        }
        return new LiveStep(from, length, requests, errors, checks, times);
    }

    IReadOnlyList<LiveMinute> Minutes(DateTimeOffset at)
    {
        var first = new DateTimeOffset(at.UtcTicks - at.UtcTicks % Minute.Ticks, TimeSpan.Zero) - Window + Minute;
        return [.. Enumerable.Range(0, (int)(Window / Minute)).Select(i => (At: first + Minute * i, Some: Within(first + Minute * i, first + Minute * (i + 1)))).Where(m => m.Some.Length > TimeSpan.Zero)
            .Select(m => new LiveMinute(m.At, m.Some.Requests, m.Some.Errors, m.Some.Times.Percentile(0.5), m.Some.Times.Percentile(0.95), m.Some.Checks))];
    }

    static DateTimeOffset Floor(DateTimeOffset at) => new(at.UtcTicks - at.UtcTicks % Stored.Ticks, TimeSpan.Zero);

    void End()
    {
        watched?.Cancel();
        watched?.Dispose();
        watched = null;
    }

    public void Dispose()
    {
        lock (gate) End();
    }

    sealed class Watcher(LiveFigures figures) : IDisposable
    {
        int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) figures.Leave();
        }
    }
}
