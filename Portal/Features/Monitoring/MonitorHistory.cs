using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

public sealed record CheckView(DateTimeOffset At, CheckOutcome Outcome, double Milliseconds, int? StatusCode, string? Detail, string Node);

/// <summary>What one monitor found: raw checks (seven days), outages (for ever) and gaps.</summary>
public sealed class MonitorHistory(IDbContextFactory<PortalDbContext> contexts)
{
    /// <summary>Newest first.</summary>
    /// <param name="before">The time of the last one of the part before; null for the newest.</param>
    public async Task<IReadOnlyList<CheckView>> LoadChecks(MonitorId id, DateTimeOffset? before, int most, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (!await db.Monitors.AnyAsync(m => m.Id == id, ct)) throw new NotFoundException("monitor");
        var until = before ?? DateTimeOffset.MaxValue;
        return await db.Checks.AsNoTracking().Where(c => c.MonitorId == id && c.At < until).OrderByDescending(c => c.At).Take(most)
            .Select(c => new CheckView(c.At, c.Outcome, c.Milliseconds, c.StatusCode, c.Detail, c.Node)).ToListAsync(ct);
    }

    public async Task<IReadOnlyList<Outage>> LoadOutages(MonitorId id, int most, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Outages.AsNoTracking().Where(o => o.MonitorId == id).OrderByDescending(o => o.From).Take(most).ToListAsync(ct);
    }

    /// <summary>What caused these, by its id; those that stand for themselves have none.</summary>
    public async Task<IReadOnlyDictionary<OutageId, Outage>> LoadCauses(IReadOnlyList<Outage> outages, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        var ids = outages.Select(o => o.CausedBy).OfType<OutageId>().Distinct().ToList();
        if (ids.Count == 0) return new Dictionary<OutageId, Outage>();
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Outages.AsNoTracking().Where(o => ids.Contains(o.Id)).ToDictionaryAsync(o => o.Id, ct);
    }

    public async Task<IReadOnlyList<ObservationGap>> LoadGaps(MonitorId id, int most, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewMonitors);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.ObservationGaps.AsNoTracking().Where(g => g.MonitorId == id).OrderByDescending(g => g.From).Take(most).ToListAsync(ct);
    }
}
