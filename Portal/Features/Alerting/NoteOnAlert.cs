using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Writes into an alert's timeline, also after its end.</summary>
public sealed class NoteOnAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(AlertId alert, string text, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var (now, note) = (clock.GetUtcNow(), Text.Required(text, "text", "The note", AlertEvent.TextLength));
        await using var db = await contexts.CreateDbContextAsync(ct);
        var summary = await db.Alerts.Where(a => a.Id == alert).Select(a => a.Summary).SingleOrDefaultAsync(ct) ?? throw new NotFoundException("alert");
        db.AlertEvents.Add(new(alert, AlertEventKind.Noted, actor.Name, note, now));
        await db.Commit(new AuditEntry(actor, "alert.noted", alert.ToString(), $"{summary}: {note}", now), ct);
    }
}
