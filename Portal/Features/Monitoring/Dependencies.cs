using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

static class Dependencies
{
    /// <summary>Needs a transaction that lasts until the monitor is saved: two edits cannot close a circle together, and nothing is deleted meanwhile.</summary>
    /// <exception cref="DomainException">It depends on something that does not exist, or on itself by way of others.</exception>
    public static async Task Require(PortalDbContext db, Monitor monitor, CancellationToken ct)
    {
        if (monitor.DependsOn.Count == 0) return;
        await Hold(db, ct);
        var needs = monitor.DependsOn;
        if (await db.Monitors.CountAsync(m => needs.Contains(m.Id), ct) < needs.Count) throw new DomainException("One of the monitors that it depends on does not exist any more. Choose again.", "dependsOn");
        var circle = await db.Database.SqlQuery<string>($"""
            with recursive needed(id) as (
                select unnest({needs.Select(n => n.Value).ToArray()})
                union select unnest(m.depends_on) from monitors m join needed on needed.id = m.id)
            select m.name as "Value" from monitors m join needed on needed.id = m.id where m.depends_on @> array[{monitor.Id.Value}] limit 1
            """).FirstOrDefaultAsync(ct);
        if (circle is not null) throw new DomainException($"{circle} depends on this monitor already: two that wait for each other have no cause. Take one of the two away.", "dependsOn");
    }

    /// <summary>Whatever depended on it stands for itself from now on.</summary>
    public static async Task Remove(PortalDbContext db, IReadOnlyCollection<MonitorId> gone, DateTimeOffset now, CancellationToken ct)
    {
        await Hold(db, ct);
        Guid[] values = [.. gone.Select(g => g.Value)];
        foreach (var monitor in await db.Monitors.FromSql($"select *, xmin from monitors where depends_on && {values}").ToListAsync(ct))
            foreach (var one in monitor.DependsOn.Intersect(gone).ToList()) monitor.Forget(one, now);
    }

    /// <summary>Before any monitor's row is: whoever holds a row never waits for this.</summary>
    public static Task<int> Hold(PortalDbContext db, CancellationToken ct) => db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.dependencies'))", ct);
}
