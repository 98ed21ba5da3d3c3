using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Backups;

/// <summary>Clears away what ended in the midst: backups and restores whose node was killed, deletions that a store refused, rows of what is gone for long. Looks at each store once a day, and at one that does not work every hour. Any node may do it.</summary>
public sealed class BackupUpkeep(
    IDbContextFactory<PortalDbContext> contexts, BackupWork work, ApplyRetention retention, RestoreBackup restores, ProbeStore probe, BackupNews news, AuditAnchoring anchors, TargetWays ways, StartupState state, PortalOptions options, TimeProvider clock, ILogger<BackupUpkeep> log) : BackgroundService
{
    static readonly TimeSpan Daily = TimeSpan.FromDays(1), Hourly = TimeSpan.FromHours(1);
    long? forgot;
    readonly DatabaseContact contact = new("The upkeep of backups", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        LibpqConnection.Sweep(ways.Scratch);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Turn(stoppingToken);
                contact.Found();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
                else log.LogError(e, "The upkeep of backups failed and is tried again");
            }
            await Task.Delay(options.Timing.BackupUpkeep, clock, stoppingToken);
        }
    }

    public async Task Turn(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var left = await db.Backups.Where(b => b.State == BackupState.Writing && !db.JobRuns.Any(r => r.Id == b.RunId && r.State == RunState.Running)).Select(b => b.Id).ToListAsync(ct);
        foreach (var id in left) await Apart(() => work.Settle(id, ct), ct);
        foreach (var id in await db.Restores.Where(r => !r.IsSettled && !db.JobRuns.Any(j => j.Id == r.Id && j.EndedAt == null)).Select(r => r.Id).ToListAsync(ct)) await Apart(() => restores.ClearAway(id, ct), ct);
        await Apart(() => news.Tell(ct), ct);
        await Apart(() => anchors.Keep(ct), ct);
        if (forgot is not { } last || clock.GetElapsedTime(last) >= Hourly)
            await Apart(async () => { await retention.Forget(ct); forgot = clock.GetTimestamp(); }, ct);
        foreach (var store in await db.BackupStores.AsNoTracking().ToListAsync(ct))
        {
            await Apart(() => retention.RemoveDeleted(store, words => log.LogWarning("{Words}", words), ct), ct);
            if (store.RetiredAt is null && now - (store.ProbedAt ?? DateTimeOffset.MinValue) > (store.Problem is null ? Daily : Hourly)) await Apart(() => probe.Execute(store.Id, Actor.System, ct), ct);
        }
    }

    /// <summary>One store that does not work stops nothing of the others.</summary>
    async Task Apart(Func<Task> part, CancellationToken ct)
    {
        try
        {
            await part();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            log.LogWarning(e, "The upkeep of backups goes on without a part");
        }
    }
}
