using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

/// <summary>Gives a heartbeat a new address; the one before stops working at once. What was heard so far stays.</summary>
public sealed class RenewHeartbeatKey(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <returns>The key, shown once.</returns>
    public async Task<string> Execute(MonitorId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitor = await db.Existing(id, ct);
        if (monitor.Kind != MonitorKind.Heartbeat) throw new DomainException("Only a heartbeat has an address that is called.", "kind");
        var key = Secret.New();
        if (await db.Heartbeats.SingleOrDefaultAsync(h => h.MonitorId == id, ct) is { } heartbeat) heartbeat.Rekey(Secret.HashOf(key));
        else db.Add(new Heartbeat(id, Secret.HashOf(key), now));
        await db.Commit(new AuditEntry(actor, "monitor.heartbeat-key-renewed", id.ToString(), monitor.Name, now), ct);
        return key;
    }
}
