using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

/// <summary>Removes a monitor for good. Its outages stay: they are the record of the past. Its raw results age out.</summary>
public sealed class DeleteMonitor(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(MonitorId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.HoldState(id, ct);
        var monitor = await db.Existing(id, ct);
        foreach (var outage in await db.Outages.Where(o => o.MonitorId == id && o.To == null).ToListAsync(ct)) outage.Close(now, null);
        foreach (var gap in await db.ObservationGaps.Where(g => g.MonitorId == id && g.To == null).ToListAsync(ct)) gap.Close(now);
        await Dependencies.Remove(db, id, now, ct);
        db.Monitors.Remove(monitor);
        await db.Commit(new AuditEntry(actor, "monitor.deleted", id.ToString(), $"{monitor.Name}: {monitor.Target}", now), ct);
        await transaction.CommitAsync(ct);
    }
}
