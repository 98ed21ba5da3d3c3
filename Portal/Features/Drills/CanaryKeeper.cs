using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Backups;
using Portal.Features.Backups;
using Portal.Hosting;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Writes a canary every 15 s into every database that lets it live. All nodes do, and the database takes one beat of them.</summary>
public sealed class CanaryKeeper(IDbContextFactory<PortalDbContext> contexts, TargetWays ways, StartupState state, TimeProvider clock, ILogger<CanaryKeeper> log) : BackgroundService
{
    readonly ConcurrentDictionary<BackupTargetId, string?> problems = new();
    IReadOnlyList<BackupTarget> living = [];

    /// <summary>Why this node cannot write it; null where it can, or has not tried yet.</summary>
    public string? ProblemWith(BackupTargetId target) => problems.GetValueOrDefault(target);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var timer = new PeriodicTimer(Canary.Every, clock);
        do await Turn(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    public async Task Turn(CancellationToken ct)
    {
        try
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            living = await db.BackupTargets.AsNoTracking().Where(t => t.HasCanary && t.RemovedAt == null).ToListAsync(ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // Those that were known go on: their databases may be there.
            if (!Refusal.IsDatabaseAway(e)) log.LogError(e, "Who lets a canary live could not be read");
        }
        foreach (var gone in problems.Keys.Except(living.Select(t => t.Id)).ToList()) problems.TryRemove(gone, out _);
        // One that hangs holds up none of the others beyond its own time-outs.
        await Task.WhenAll(living.Select(t => Beat(t, ct)));
    }

    async Task<bool> MayLive(BackupTarget target, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.BackupTargets.AnyAsync(t => t.Id == target.Id && t.HasCanary && t.RemovedAt == null, ct);
    }

    /// <summary>A database that does not take it is told of once, and once when it does again.</summary>
    async Task Beat(BackupTarget target, CancellationToken ct)
    {
        var before = problems.GetValueOrDefault(target.Id);
        try
        {
            await new Canary(await ways.Connection(target, ct)).Beat(ct, () => MayLive(target, ct));
            problems[target.Id] = null;
            if (before is not null) log.LogInformation("The canary is written again into {Target}", target.Name);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            problems[target.Id] = e is BackupFailedException ? e.Message : "It could not be written: see the log of the portal.";
            if (before is not null) return;
            if (e is BackupFailedException) log.LogWarning("The canary cannot be written into {Target}: {Reason}", target.Name, e.Message);
            else log.LogError(e, "The canary cannot be written into {Target}", target.Name);
        }
    }
}
