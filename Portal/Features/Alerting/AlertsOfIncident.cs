using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>The alerts that an incident's room shows, and what happened to them.</summary>
public sealed class AlertsOfIncident(IDbContextFactory<PortalDbContext> contexts)
{
    const int MostAlerts = 20, MostEvents = 100;

    /// <summary>What matters to who runs the incident; every message to every phone does not.</summary>
    static readonly AlertEventKind[] Telling = [AlertEventKind.Triggered, AlertEventKind.Worse, AlertEventKind.PagedNobody, AlertEventKind.Acknowledged, AlertEventKind.Released, AlertEventKind.Escalated, AlertEventKind.Exhausted, AlertEventKind.Resolved, AlertEventKind.Noted];

    public sealed record Happened(Guid Id, AlertId Alert, string Summary, AlertEventKind Kind, string? By, string Text, DateTimeOffset At);

    /// <param name="Alerts">The first one first.</param>
    public sealed record View(IReadOnlyList<Alert> Alerts, IReadOnlyList<Happened> Events)
    {
        public static readonly View None = new([], []);
    }

    public async Task<View> Load(IncidentId incident, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var alerts = await db.Alerts.AsNoTracking().Where(a => a.IncidentId == incident).OrderBy(a => a.TriggeredAt).Take(MostAlerts).ToListAsync(ct);
        if (alerts.Count == 0) return View.None;
        var (ids, kinds) = (alerts.Select(a => a.Id).ToList(), Telling.ToList());
        var events = await db.AlertEvents.AsNoTracking().Where(e => ids.Contains(e.AlertId) && kinds.Contains(e.Kind)).OrderByDescending(e => e.At).Take(MostEvents).ToListAsync(ct);
        var names = alerts.ToDictionary(a => a.Id, a => a.Summary);
        return new(alerts, [.. events.Select(e => new Happened(e.Id, e.AlertId, names[e.AlertId], e.Kind, e.By, e.Text, e.At))]);
    }
}
