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
        await db.Remove([monitor], now, ct);
        await db.Commit(new AuditEntry(actor, "monitor.deleted", id.ToString(), $"{monitor.Name}: {monitor.Target}", now), ct);
        await transaction.CommitAsync(ct);
    }
}
