using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Drills;

/// <summary>Ends drills whose run ended without them, removes scratch servers that nobody owns, and tells the administrators what drills found.</summary>
public sealed class DrillUpkeep(IDbContextFactory<PortalDbContext> contexts, DrillRecords records, DrillNews news, ScratchPlace scratch, StartupState state, TimeProvider clock, ILogger<DrillUpkeep> log) : BackgroundService
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);
    readonly DatabaseContact contact = new("The upkeep of drills", clock, log);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(KeepSwept(stoppingToken), KeepSettled(stoppingToken));

    async Task KeepSwept(CancellationToken ct)
    {
        try
        {
            var clusters = await scratch.Open(ct);
            await clusters.KeepSwept(IsOver, ct);
        }
        catch (Exception e) when (e is BackupFailedException or IOException or UnauthorizedAccessException)
        {
            log.LogInformation("No drill can run on this node: {Reason}", e.Message);
        }
    }

    async Task<bool> IsOver(string name, CancellationToken ct)
    {
        if (ScratchPlace.RunOf(name) is not { } id) return true;
        await state.Prepared.WaitAsync(ct);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return !await db.JobRuns.AnyAsync(r => r.Id == id && r.State == RunState.Running, ct);
    }

    async Task KeepSettled(CancellationToken ct)
    {
        await state.Prepared.WaitAsync(ct);
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await Turn(ct);
                contact.Found();
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
                else log.LogError(e, "The upkeep of drills failed and is tried again");
            }
            await Task.Delay(Pause, clock, ct);
        }
    }

    public async Task Turn(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var left = await db.Drills.AsNoTracking().Where(d => d.Outcome == DrillOutcome.Running && !db.JobRuns.Any(r => r.Id == d.Id && r.EndedAt == null)).Select(d => d.Id).ToListAsync(ct);
        foreach (var id in left)
            try
            {
                await records.BreakOff(id, await db.JobRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, ct), ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested && !Refusal.IsDatabaseAway(e))
            {
                log.LogError(e, "The drill {Drill} could not be ended", id);
            }
        await news.Tell(ct);
    }
}
