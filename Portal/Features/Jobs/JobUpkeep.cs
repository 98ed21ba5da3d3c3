using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Jobs;
using Portal.Hosting;
using Portal.Infrastructure.Jobs;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Jobs;

/// <summary>
/// Sees to it that every run comes to a node and every slot of a schedule to a run, on each node alike: what waits is handed to the delivery, at once when it was queued anywhere;
/// runs of nodes that are gone are freed; slots are expected before they come, and missed ones are said.
/// </summary>
public sealed class JobUpkeep(
    QuartzDelivery delivery, RunLedger ledger, IEnumerable<JobKind> kinds, IDbContextFactory<PortalDbContext> contexts, StartupState state, ChangeFeed feed, PortalOptions options, TimeProvider clock, ILogger<JobUpkeep> log) : BackgroundService
{
    /// <summary>Runs of the near future are with the delivery already; later ones come in time.</summary>
    static readonly TimeSpan Ahead = TimeSpan.FromMinutes(10);
    /// <summary>Longer than any report on a year looks back.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(400);
    static readonly TimeSpan ForgetEvery = TimeSpan.FromHours(1);
    const int AtOnce = 500, Batch = 50, Few = 3, MostMissed = 50, MostForgotten = 500;

    readonly Dictionary<string, JobKind> byName = kinds.ToDictionary(k => k.Name);
    readonly Random random = new();
    readonly HashSet<string> unknown = [];
    readonly DatabaseContact contact = new("The upkeep of jobs", clock, log);
    long? forgot;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("jobs", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }, TimeSpan.FromMilliseconds(50));
        long? swept = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var sweep = swept is not { } last || clock.GetElapsedTime(last) >= options.Timing.JobSweep;
            if (await Turn(sweep, stoppingToken) && sweep) swept = clock.GetTimestamp();
            await woken.WaitAsync(options.Timing.JobSweep, stoppingToken);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await delivery.DisposeAsync();
    }

    async Task<bool> Turn(bool sweep, CancellationToken ct)
    {
        try
        {
            if (!delivery.HasStarted) await delivery.Start(ct);
            if (sweep)
            {
                await ledger.Sweep(ct);
                await Expect(ct);
                await Forget(ct);
            }
            await HandOn(ct);
            contact.Found();
            return true;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "The upkeep of jobs failed and is tried again");
            return false;
        }
    }

    async Task HandOn(CancellationToken ct)
    {
        for (var left = AtOnce; left > 0; left -= Batch)
        {
            var waiting = (await delivery.Undelivered(Ahead, AtOnce, ct)).ToArray();
            if (waiting.Length <= Few)
            {
                foreach (var run in waiting) await delivery.Deliver(run.Id, run.DueAt, ct);
                return;
            }
            // All nodes do this at the same moment: each begins elsewhere, so that they share it.
            random.Shuffle(waiting);
            await delivery.Deliver([.. waiting.Take(Batch)], ct);
            if (waiting.Length <= Batch) return;
        }
    }

    async Task Forget(CancellationToken ct)
    {
        if (forgot is { } last && clock.GetElapsedTime(last) < ForgetEvery) return;
        if (await ledger.Forget(Kept, MostForgotten, ct) < MostForgotten) forgot = clock.GetTimestamp();
    }

    /// <summary>The next run of each schedule, and one for each slot that came and went unnoticed: a slot without a run would be a failure that nobody sees.</summary>
    async Task Expect(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        List<JobScheduleId> due;
        await using (var db = await contexts.CreateDbContextAsync(ct))
            due = await db.JobSchedules.Where(s => s.PausedAt == null && s.SettledUntil <= now).Select(s => s.Id).ToListAsync(ct);
        foreach (var id in due)
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            if (await db.JobSchedules.SingleOrDefaultAsync(s => s.Id == id, ct) is not { } schedule) continue;
            if (byName.GetValueOrDefault(schedule.Kind) is not { } kind)
            {
                if (unknown.Add(schedule.Kind)) log.LogWarning("This version of the portal knows no job of the kind {Kind}: its schedule waits", schedule.Kind);
                continue;
            }
            // A slot that somebody cancelled before the schedule was paused or changed stays so.
            var known = await db.JobRuns.Where(r => r.ScheduleId == id && r.Slot > schedule.SettledUntil).Select(r => r.Slot!.Value).ToListAsync(ct);
            foreach (var (slot, startBy) in schedule.Settle(now, MostMissed).ExceptBy(known, s => s.Slot))
                db.JobRuns.Add(JobRun.Expected(schedule, slot, startBy, kind.Rules(schedule.Arguments), now));
            try
            {
                await db.SaveChangesAsync(ct);
            }
            catch (DbUpdateException e) when (e is DbUpdateConcurrencyException || Contention.IsTaken(e))
            {
                // Another node settled it, or somebody changed the schedule: it is looked at again.
            }
        }
    }
}
