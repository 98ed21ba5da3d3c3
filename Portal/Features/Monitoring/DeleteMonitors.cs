using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring.Engine;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Removes many monitors for good, as <see cref="DeleteMonitor"/> removes one. Those that somebody deleted meanwhile are gone as was wanted.</summary>
public sealed class DeleteMonitors(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <returns>How many were removed.</returns>
    public async Task<int> Execute(IReadOnlyCollection<MonitorId> ids, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.HoldStates(ids, ct);
        await Dependencies.Hold(db, ct);
        var (monitors, _) = await db.Many(ids, ct);
        if (monitors.Count == 0) return 0;
        await db.Remove(monitors, now, ct);
        await db.Commit([.. monitors.Select(m => new AuditEntry(actor, "monitor.deleted", m.Id.ToString(), $"{m.Name}: {m.Target}", now))], ct);
        await transaction.CommitAsync(ct);
        return monitors.Count;
    }
}

static class MonitorRemoval
{
    /// <summary>Before the monitors themselves, as the engine and a single removal do it.</summary>
    public static Task HoldStates(this PortalDbContext db, IEnumerable<MonitorId> ids, CancellationToken ct)
    {
        Guid[] values = [.. ids.Select(i => i.Value)];
        return db.Database.ExecuteSqlAsync($"select 1 from monitor_states where monitor_id = any({values}) order by monitor_id for update", ct);
    }

    /// <summary>Nothing looks any more: what was open ends now. Needs the states held.</summary>
    public static async Task Remove(this PortalDbContext db, IReadOnlyCollection<Monitor> monitors, DateTimeOffset now, CancellationToken ct)
    {
        var ids = monitors.Select(m => m.Id).ToList();
        var open = await db.Outages.Where(o => ids.Contains(o.MonitorId) && o.To == null).ToListAsync(ct);
        foreach (var outage in open) outage.Close(now, null);
        await OutageAlerts.End(db, [.. monitors.Where(m => open.Any(o => o.MonitorId == m.Id && o.AlertedAt is not null))], "was deleted", now, ct);
        foreach (var gap in await db.ObservationGaps.Where(g => ids.Contains(g.MonitorId) && g.To == null).ToListAsync(ct)) gap.Close(now);
        await Dependencies.Remove(db, ids, now, ct);
        db.Monitors.RemoveRange(monitors);
    }
}
