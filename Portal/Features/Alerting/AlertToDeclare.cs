using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>What an alert gives to the incident that is declared from it.</summary>
public sealed class AlertToDeclare(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Components">Of its service and its monitor.</param>
    public sealed record View(AlertId Id, string Summary, string Title, Severity Severity, IReadOnlyList<ComponentId> Components);

    /// <returns>Null where there is none, or it belongs to an incident already.</returns>
    public async Task<View?> Load(string id, CancellationToken ct)
    {
        if (!Id.TryParse<AlertId>(id, out var alertId)) return null;
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Alerts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == alertId && a.IncidentId == null, ct) is not { } alert) return null;
        var service = await db.Services.AsNoTracking().SingleAsync(s => s.Id == alert.ServiceId, ct);
        var watched = alert.MonitorId is { } monitor ? await db.Monitors.Where(m => m.Id == monitor).Select(m => m.ComponentId).SingleOrDefaultAsync(ct) : null;
        var named = service.Components.Concat(watched is { } component ? [component] : []).Distinct().ToList();
        var known = await db.Components.Where(c => named.Contains(c.Id)).Select(c => c.Id).ToListAsync(ct);
        return new(alert.Id, alert.Summary, alert.Summary.Length <= Text.TitleLength ? alert.Summary : alert.Summary[..Text.TitleLength], alert.Severity, known);
    }
}
