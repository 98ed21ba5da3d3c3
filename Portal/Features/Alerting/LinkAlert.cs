using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Says which incident alerts belong to: they stand in its room from then on.</summary>
public sealed class LinkAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(AlertId id, IncidentId incidentId, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var alert = await db.Alerts.SingleOrDefaultAsync(a => a.Id == id, ct) ?? throw new NotFoundException("alert");
        var title = await db.Incidents.Where(i => i.Id == incidentId).Select(i => i.Title).SingleOrDefaultAsync(ct) ?? throw new DomainException("There is no such incident.", "incident");
        alert.LinkTo(incidentId);
        db.Add(new AlertEvent(alert.Id, AlertEventKind.Linked, actor.Name, title, now));
        await db.Commit(new AuditEntry(actor, "alert.linked", id.ToString(), $"{alert.Summary}: {title}", now), ct);
    }
}
