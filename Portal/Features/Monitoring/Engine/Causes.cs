using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>One cause for everything that is down because of it, whichever was confirmed first.</summary>
static class Causes
{
    /// <summary>Of an outage that just began: what caused it, and what it caused.</summary>
    public static async Task Tell(PortalDbContext db, Monitor monitor, Outage outage, CancellationToken ct)
    {
        var isNeeded = await db.Monitors.FromSql($"select *, xmin from monitors where depends_on @> array[{monitor.Id.Value}]").AnyAsync(ct);
        if (monitor.DependsOn.Count == 0 && !isNeeded) return;
        // Of two that begin at the same moment on two connections, the second must see the first.
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.causes'))", ct);
        var needs = monitor.DependsOn;
        var above = await db.Outages.AsNoTracking().Where(o => o.To == null && needs.Contains(o.MonitorId)).OrderBy(o => o.From).ToListAsync(ct);
        if (above.Find(outage.CanComeOf) is { } cause) outage.Blame(cause);
        if (!isNeeded) return;
        var below = await db.Outages.FromSql($"""
            select o.* from outages o join monitors m on m.id = o.monitor_id
            where o.ended_at is null and o.caused_by is null and m.depends_on @> array[{monitor.Id.Value}]
            """).ToListAsync(ct);
        foreach (var effect in below.Where(o => o.CanComeOf(outage)))
        {
            // A circle of dependencies cannot be saved; an outage is still never its own cause.
            if (effect.Id == outage.CausedBy) continue;
            effect.Blame(outage);
            foreach (var further in await db.Outages.Where(o => o.To == null && o.CausedBy == effect.Id).ToListAsync(ct)) further.Blame(outage);
        }
    }
}
