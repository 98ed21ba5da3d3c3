using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

/// <summary>Asks whichever node runs the monitor to check it at once; the result comes as any other.</summary>
public sealed class CheckMonitorNow(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(MonitorId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitor = await db.Existing(id, ct);
        if (monitor.PausedAt is not null) throw new DomainException("The monitor is paused. Resume it first.");
        if (!monitor.FromHere) throw new DomainException("Only other places look at this monitor, each at its own times. It cannot be checked from here.");
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.AskForCheck(id, ct);
        await db.Commit(new AuditEntry(actor, "monitor.check-requested", id.ToString(), monitor.Name, now), ct);
        await transaction.CommitAsync(ct);
    }
}
