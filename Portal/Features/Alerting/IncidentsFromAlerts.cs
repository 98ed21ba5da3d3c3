using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Alerting;

/// <summary>Declares an incident for an alert that is as bad as its service says, once for all alerts of a service while it lasts; on one node at a time.</summary>
public sealed class IncidentsFromAlerts(IDbContextFactory<PortalDbContext> contexts, StartupState state, ChangeFeed feed, TimeProvider clock, ILogger<IncidentsFromAlerts> log) : BackgroundService
{
    static readonly TimeSpan Sweep = TimeSpan.FromSeconds(10), Throttle = TimeSpan.FromMilliseconds(250);
    const long AdvisoryLock = 0x506F7274616C12;
    const int AtOnce = 500;

    readonly DatabaseContact contact = new("Declaring incidents from alerts", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("alerts", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }, Throttle);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Turn(stoppingToken);
                contact.Found();
            }
            catch (DbUpdateConcurrencyException)
            {
                // Somebody took the alert at the same moment: the next turn sees what stands.
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
                else log.LogError(e, "No incident could be declared from alerts; it is tried again");
            }
            await woken.WaitAsync(Sweep, stoppingToken);
        }
    }

    /// <returns>How many alerts have an incident now that had none.</returns>
    public async Task<int> Turn(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var services = (await db.Services.AsNoTracking().ToListAsync(ct)).Where(s => s.DeclareFrom is not null).ToDictionary(s => s.Id);
        if (services.Count == 0) return 0;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!(await db.Database.SqlQuery<bool>($"select pg_try_advisory_xact_lock({AdvisoryLock}) as \"Value\"").ToListAsync(ct))[0]) return 0;
        var ids = services.Keys.ToList();
        var open = await db.Alerts.Where(a => a.State != AlertState.Resolved && a.IncidentId == null && !a.IsTest && a.GroupId == null && a.Quiet == AlertQuiet.No && ids.Contains(a.ServiceId))
            .OrderBy(a => a.TriggeredAt).Take(AtOnce).ToListAsync(ct);
        var bad = open.Where(a => a.Severity <= services[a.ServiceId].DeclareFrom).ToList();
        if (bad.Count == 0) return 0;
        var running = await Running(db, [.. bad.Select(a => a.ServiceId).Distinct()], ct);
        var components = await Known(db, services.Values, ct);
        foreach (var alert in bad)
        {
            var service = services[alert.ServiceId];
            var isNew = !running.TryGetValue(alert.ServiceId, out var incident);
            if (isNew) running[alert.ServiceId] = incident = Declare(db, service, alert, components, now);
            alert.LinkTo(incident);
            db.Add(new AlertEvent(alert.Id, AlertEventKind.Linked, null, isNew ? "An incident was declared by itself." : "It belongs to the incident that is open for this service.", now));
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return bad.Count;
    }

    /// <summary>The incident that an earlier alert of the service has, if it is not over.</summary>
    static async Task<Dictionary<ServiceId, IncidentId>> Running(PortalDbContext db, List<ServiceId> services, CancellationToken ct)
    {
        var found = await (from a in db.Alerts
                           join i in db.Incidents on a.IncidentId equals i.Id
                           where i.ResolvedAt == null && services.Contains(a.ServiceId)
                           select new { a.ServiceId, i.Id, i.CreatedAt }).ToListAsync(ct);
        return found.GroupBy(f => f.ServiceId).ToDictionary(g => g.Key, g => g.MaxBy(f => f.CreatedAt)!.Id);
    }

    static async Task<HashSet<ComponentId>> Known(PortalDbContext db, IEnumerable<Service> services, CancellationToken ct)
    {
        var ids = services.SelectMany(s => s.Components).Distinct().ToList();
        return [.. await db.Components.Where(c => ids.Contains(c.Id)).Select(c => c.Id).ToListAsync(ct)];
    }

    /// <summary>In words that customers may read: what an alert says is for the team.</summary>
    static IncidentId Declare(PortalDbContext db, Service service, Alert alert, HashSet<ComponentId> known, DateTimeOffset now)
    {
        var incident = new Incident($"{service.Name}: a problem is being looked into", alert.Severity, null, alert.BeganAt, now);
        incident.Post(IncidentStatus.Investigating, MessageTemplates.For(alert.Severity)[^1].Text, UpdateVisibility.Public,
            [.. service.Components.Where(known.Contains).Select(c => new ComponentChange(c, MessageTemplates.UsualStatus(alert.Severity)))], Actor.System, now);
        incident.PromiseNext(null, now);
        db.Incidents.Add(incident);
        db.Audit.Add(new AuditEntry(Actor.System, "incident.declared", incident.Id.ToString(), $"{incident.Severity} {incident.Title}, because of an alert", now));
        return incident.Id;
    }
}
