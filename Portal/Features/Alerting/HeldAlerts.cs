using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Alerts with their escalations, held against everybody else until the transaction ends, for whoever changes both.</summary>
/// <remarks>Escalations are locked before alerts, as the escalator does it, and each kind in the order of its ids. The locks leave room for what refers to an alert: events, deliveries.</remarks>
sealed class HeldAlerts
{
    /// <summary>What one action may name.</summary>
    public const int MostNamed = 500;

    readonly PortalDbContext db;
    readonly Dictionary<AlertId, Alert> alerts;
    readonly Dictionary<AlertId, Escalation> escalations;
    readonly Dictionary<ServiceId, Service> services;

    HeldAlerts(PortalDbContext db, List<Alert> alerts, List<Escalation> escalations, List<Service> services)
    {
        this.db = db;
        this.alerts = alerts.ToDictionary(a => a.Id);
        this.escalations = escalations.ToDictionary(e => e.AlertId);
        this.services = services.ToDictionary(s => s.Id);
    }

    /// <summary>Those that somebody named.</summary>
    /// <param name="withGroups">Also what joined them and is open.</param>
    /// <exception cref="NotFoundException">One of them does not exist.</exception>
    public static async Task<HeldAlerts> Named(PortalDbContext db, IReadOnlyCollection<AlertId> named, bool withGroups, CancellationToken ct)
    {
        if (named.Count is 0 or > MostNamed) throw new DomainException($"Choose 1 to {MostNamed} alerts.", "alerts");
        var ids = named.ToHashSet();
        if (withGroups) ids.UnionWith(await db.Alerts.Where(a => a.GroupId != null && named.Contains(a.GroupId.Value) && a.State != AlertState.Resolved).Select(a => a.Id).ToListAsync(ct));
        var held = await Hold(db, ids, ct);
        return named.All(held.alerts.ContainsKey) ? held : throw new NotFoundException("alert");
    }

    /// <summary>In the transaction that is under way. What does not exist is left out.</summary>
    public static async Task<HeldAlerts> Hold(PortalDbContext db, IReadOnlyCollection<AlertId> ids, CancellationToken ct)
    {
        var keys = ids.Select(i => i.Value).ToArray();
        await db.Database.ExecuteSqlAsync($"select 1 from escalations where alert_id = any ({keys}) order by alert_id for no key update", ct);
        var alerts = await db.Alerts.FromSql($"select a.*, a.xmin from alerts a where a.id = any ({keys}) order by a.id for no key update").ToListAsync(ct);
        var escalations = await db.Escalations.Where(e => ids.Contains(e.AlertId)).ToListAsync(ct);
        var serviceIds = alerts.Select(a => a.ServiceId).Distinct().ToList();
        return new(db, alerts, escalations, await db.Services.AsNoTracking().Where(s => serviceIds.Contains(s.Id)).ToListAsync(ct));
    }

    public IEnumerable<Alert> All => alerts.Values;

    public Alert? Find(AlertId id) => alerts.GetValueOrDefault(id);

    public Escalation? EscalationOf(Alert alert) => escalations.GetValueOrDefault(alert.Id);

    public Service ServiceOf(Alert alert) => services[alert.ServiceId];

    /// <summary>Of those that were named, what is open: a selection may hold what ended a moment ago.</summary>
    /// <exception cref="DomainException">None of them is.</exception>
    public IReadOnlyList<Alert> Open(IReadOnlyCollection<AlertId> named)
    {
        List<Alert> open = [.. named.Distinct().Select(id => alerts[id]).Where(a => a.IsOpen)];
        return open.Count > 0 ? open : throw new DomainException(named.Count == 1 ? "It is resolved already. If it happens again, a new alert tells of it." : "All of these are resolved already.");
    }

    /// <summary>What joined it and is open, the oldest first.</summary>
    public IReadOnlyList<Alert> GroupOf(Alert head) => [.. alerts.Values.Where(a => a.GroupId == head.Id && a.IsOpen).OrderBy(a => a.TriggeredAt).ThenBy(a => a.Id.Value)];

    public void Add(Alert alert, Service service)
    {
        db.Alerts.Add(alert);
        alerts[alert.Id] = alert;
        services.TryAdd(service.Id, service);
    }

    public void Note(Alert alert, AlertEventKind kind, string? by, string text, DateTimeOffset now) => db.AlertEvents.Add(new(alert.Id, kind, by, text, now));

    /// <summary>It pages by this policy: from its first step, or at a later time.</summary>
    public void Begin(Alert alert, EscalationPolicyVersion version, DateTimeOffset now, DateTimeOffset? firstAt = null)
    {
        if (EscalationOf(alert) is { } running) running.Reassign(version, now, firstAt);
        else
        {
            var escalation = new Escalation(alert.Id, version, firstAt ?? now, now);
            db.Escalations.Add(escalation);
            escalations[alert.Id] = escalation;
        }
    }

    /// <summary>It pages nobody any more, as if it had never begun to.</summary>
    public void Cease(Alert alert)
    {
        if (escalations.Remove(alert.Id, out var escalation)) db.Escalations.Remove(escalation);
    }

    public void Acknowledge(Alert alert, Actor by, DateTimeOffset now)
    {
        alert.Acknowledge(by, now);
        EscalationOf(alert)?.Acknowledge(now, by, Until(alert, now));
        Note(alert, AlertEventKind.Acknowledged, by.Name, $"Acknowledged by {by.Name}", now);
    }

    /// <summary>When an acknowledgement runs out by the rule of the service; null never.</summary>
    public DateTimeOffset? Until(Alert alert, DateTimeOffset now) => ServiceOf(alert).AcknowledgedFor is { } minutes ? now.AddMinutes(minutes) : null;

    public void Resolve(Alert alert, Actor by, DateTimeOffset now)
    {
        alert.Resolve(by.Name, now);
        EscalationOf(alert)?.Resolve(now);
        Note(alert, AlertEventKind.Resolved, by.Name, $"Resolved by {by.Name}", now);
    }
}
