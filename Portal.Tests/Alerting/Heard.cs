using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Alerting;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

/// <summary>What waits for the intake, and the intake at its simplest: each trigger is an alert, each resolve its end.</summary>
static class Heard
{
    public static async Task<Service> Service(TestDatabase database, string name = "Shop", IReadOnlyList<Portal.Domain.StatusPages.ComponentId>? components = null, Severity? declareFrom = null)
    {
        await using var db = database.Open();
        var service = new Service(new(name, null, null, new(null, null, null, null), null, null, 0, declareFrom, components ?? []), Guid.NewGuid().ToByteArray(), [], TimeProvider.System.GetUtcNow());
        db.Add(service);
        await db.SaveChangesAsync();
        return service;
    }

    /// <summary>In the order in which they were heard: "trigger monitor:…".</summary>
    public static async Task<IReadOnlyList<HeardSignal>> All(TestDatabase database)
    {
        await using var db = database.Open();
        return await db.HeardSignals.AsNoTracking().OrderBy(s => s.Id).ToListAsync();
    }

    public static async Task TakeIn(TestDatabase database, DateTimeOffset now)
    {
        await using var db = database.Open();
        foreach (var heard in await db.HeardSignals.OrderBy(s => s.Id).ToListAsync())
        {
            var key = heard.Signal.Key;
            var open = db.Alerts.Local.SingleOrDefault(a => a.Key == key && a.IsOpen) ?? await db.Alerts.SingleOrDefaultAsync(a => a.ServiceId == heard.ServiceId && a.Key == key && a.State != AlertState.Resolved);
            if (heard.Signal.Action == SignalAction.Trigger && open is null) db.Add(new Alert(heard.ServiceId, heard.Signal, now));
            else if (heard.Signal.Action == SignalAction.Resolve) open?.Resolve(null, now);
            db.Remove(heard);
        }
        await db.SaveChangesAsync();
    }

    public static async Task Clear(TestDatabase database)
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("""
            delete from heard_signals; delete from alerts; delete from alert_rules; delete from silences; delete from services; delete from metric_series;
            delete from monitors; delete from check_results; delete from outages; delete from observation_gaps; delete from maintenance_windows; delete from components;
            delete from live_nodes; update shard_leases set node = '', expires_at = clock_timestamp()
            """);
    }
}
