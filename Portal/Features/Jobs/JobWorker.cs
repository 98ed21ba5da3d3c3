using System.Text.Json;
using Portal.Components;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Infrastructure.Jobs;
using Portal.Live;

namespace Portal.Features.Jobs;

/// <summary>Works on runs that have come to this node: claims, watches over the lease while the kind of job does its work, and writes the end.</summary>
public sealed class JobWorker(RunLedger ledger, IEnumerable<JobKind> kinds, ChangeFeed feed, TimeProvider clock, ILogger<JobWorker> log)
{
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(10), LongestWait = TimeSpan.FromMinutes(15), News = TimeSpan.FromSeconds(1);
    /// <summary>Whoever does not heed the end of its token is left behind after so long.</summary>
    static readonly TimeSpan Unheeding = TimeSpan.FromSeconds(30);
    readonly Dictionary<string, JobKind> byName = kinds.ToDictionary(k => k.Name);
    readonly Random random = new();

    enum Why { Nothing, PortalStops, Cancelled, TakenAway, Stalled, TookTooLong }

    /// <summary>Does the run if it is to be done now; otherwise nothing.</summary>
    public async Task Run(JobRunId id, CancellationToken ct)
    {
        if (await ledger.Claim(id, ct) is not { } run) return;
        using var scope = log.BeginScope("Job {Job} of kind {Kind}, attempt {Attempt}", run.Id, run.Kind, run.Attempt);
        var context = new RunContext(run, clock);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var working = Work(run, context, stop.Token);
        var why = await Watch(run, context, working, stop, ct);
        var heeds = working.IsCompleted || await Task.WhenAny(working, Task.Delay(Unheeding, clock, CancellationToken.None)) == working;
        if (!heeds) log.LogError("The work does not heed its end and is left behind");
        await Settle(run, context, why, heeds ? working : null);
    }

    Task<object?> Work(ClaimedRun run, RunContext context, CancellationToken ct) => byName.TryGetValue(run.Kind, out var kind)
        ? Task.Run(() => kind.Run(context, ct), CancellationToken.None)
        : Task.FromException<object?>(new DomainException($"This version of the portal knows no job of the kind {run.Kind}."));

    /// <summary>Until the work is over, or must be.</summary>
    async Task<Why> Watch(ClaimedRun run, RunContext context, Task working, CancellationTokenSource stop, CancellationToken ct)
    {
        var kind = byName.GetValueOrDefault(run.Kind);
        var (began, held, renewed) = (clock.GetTimestamp(), clock.GetTimestamp(), clock.GetTimestamp());
        var hinted = New();
        using var hints = feed.Subscribe($"job:{run.Id}", () =>
        {
            Volatile.Read(ref hinted).TrySetResult();
            return Task.CompletedTask;
        });
        while (!working.IsCompleted)
        {
            using (var rest = CancellationTokenSource.CreateLinkedTokenSource(ct))
            {
                await Task.WhenAny(working, hinted.Task, Task.Delay(ledger.Lease / 3 < News ? ledger.Lease / 3 : News, clock, rest.Token));
                await rest.CancelAsync();
            }
            if (working.IsCompleted) break;
            var isHinted = hinted.Task.IsCompleted;
            // Armed again before it looks: a hint that comes meanwhile is one for the next turn.
            if (isHinted) Volatile.Write(ref hinted, New());
            var why = ct.IsCancellationRequested ? Why.PortalStops
                : kind is not null && context.Silence > kind.StallLimit ? Why.Stalled
                : kind is not null && clock.GetElapsedTime(began) > kind.Longest ? Why.TookTooLong : Why.Nothing;
            if (why == Why.Nothing && (isHinted || context.HasNews || clock.GetElapsedTime(renewed) >= ledger.Lease / 3))
            {
                renewed = clock.GetTimestamp();
                (why, held) = await Renew(run, context, held);
            }
            if (why == Why.Nothing) continue;
            await stop.CancelAsync();
            return why;
        }
        return ct.IsCancellationRequested && !working.IsCompletedSuccessfully ? Why.PortalStops : Why.Nothing;
    }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    async Task<(Why, long Held)> Renew(ClaimedRun run, RunContext context, long held)
    {
        var asked = clock.GetTimestamp();
        // An answer that comes after another node may have taken over is none.
        using var limit = new CancellationTokenSource(ledger.Lease / 3, clock);
        try
        {
            var (progress, hasMoved, lines) = context.Take();
            await ledger.Write(run, lines, limit.Token);
            return await ledger.Renew(run, progress, hasMoved, limit.Token) switch
            {
                Holding.Lost => (Why.TakenAway, held),
                Holding.CancelAsked => (Why.Cancelled, asked),
                _ => (Why.Nothing, asked),
            };
        }
        catch (Exception e) when (e is OperationCanceledException || Refusal.IsDatabaseAway(e))
        {
            log.LogWarning("The lease could not be renewed: {Reason}", e.Message);
            return (clock.GetElapsedTime(held) > ledger.Lease * 2 / 3 ? Why.TakenAway : Why.Nothing, held);
        }
    }

    async Task Settle(ClaimedRun run, RunContext context, Why why, Task<object?>? working)
    {
        var hasSucceeded = working is { IsCompletedSuccessfully: true };
        var result = hasSucceeded ? await working! : null;
        Func<CancellationToken, Task<bool>> end = why switch
        {
            Why.TakenAway => _ => Task.FromResult(false),
            _ when hasSucceeded => ct => ledger.End(run, RunState.Succeeded, result is null ? null : JsonSerializer.Serialize(result, JsonSerializerOptions.Web), null, ct),
            Why.Cancelled => ct => ledger.End(run, RunState.Cancelled, null, null, ct),
            Why.Stalled => ct => ledger.End(run, RunState.Failed, null, "It did nothing for too long and was stopped.", ct),
            Why.TookTooLong => ct => ledger.End(run, RunState.Failed, null, "It took longer than such a job may and was stopped.", ct),
            Why.PortalStops when run.Repeatable => ct => ledger.PutBack(run, TimeSpan.Zero, null, counts: false, ct),
            Why.PortalStops => ct => ledger.End(run, RunState.Interrupted, null, "The portal was stopped in the midst of it.", ct),
            _ => Failure(run, working?.Exception?.InnerException ?? new InvalidOperationException("The work ended without a word.")),
        };
        await Persist(run, context, why, end);
    }

    Func<CancellationToken, Task<bool>> Failure(ClaimedRun run, Exception e)
    {
        if (e is DomainException or NotFoundException or ConflictException or ForbiddenException)
        {
            log.LogWarning("Failed: {Reason}", e.Message);
            return ct => ledger.End(run, RunState.Failed, null, e.Message, ct);
        }
        var words = e is OperationCanceledException ? "It was broken off." : e is PassingFailureException ? e.Message : $"{e.GetType().Name}: {e.Message}";
        if (run.Attempt >= run.MostAttempts)
        {
            log.LogError(e, "Failed at the last of {Attempts} attempts", run.MostAttempts);
            return ct => ledger.End(run, RunState.Failed, null, words, ct);
        }
        double jitter;
        lock (random) jitter = 0.8 + 0.4 * random.NextDouble();
        var wait = TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, run.Attempt - 1)) * jitter);
        log.LogWarning(e, "Attempt {Attempt} of {Attempts} failed; again in {Seconds:0} s", run.Attempt, run.MostAttempts, wait.TotalSeconds);
        return ct => ledger.PutBack(run, wait, words, counts: true, ct);
    }

    /// <summary>What was done is told also when the database is away just then; beyond the lease somebody else may have begun, and the ledger refuses.</summary>
    async Task Persist(ClaimedRun run, RunContext context, Why why, Func<CancellationToken, Task<bool>> end)
    {
        var began = clock.GetTimestamp();
        var patience = why == Why.PortalStops ? TimeSpan.FromSeconds(5) : TimeSpan.FromMinutes(1);
        while (true)
        {
            using var limit = new CancellationTokenSource(ledger.Lease, clock);
            try
            {
                await ledger.Write(run, context.Take().Lines, limit.Token);
                if (!await end(limit.Token)) log.LogWarning("It is not this node's any more: what was done counts for nothing");
                return;
            }
            catch (Exception e) when (e is OperationCanceledException || Refusal.IsDatabaseAway(e))
            {
                if (clock.GetElapsedTime(began) > patience)
                {
                    log.LogError("The end could not be written: {Reason}", e.Message);
                    return;
                }
                await Task.Delay(TimeSpan.FromSeconds(1), clock, CancellationToken.None);
            }
        }
    }
}
