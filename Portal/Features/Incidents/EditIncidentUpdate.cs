using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>Replaces the text of an update; the old text is kept and shown to staff.</summary>
public sealed class EditIncidentUpdate(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Revision">The revision whose text the editor began from.</param>
    public sealed record Request(IncidentId Incident, IncidentUpdateId Update, string Message, int Revision);

    /// <exception cref="ConflictException">Somebody edited the same text meanwhile; it carries the text that stands.</exception>
    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunIncidents);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            var incident = await db.Incidents.Include(i => i.Updates).SingleOrDefaultAsync(i => i.Id == request.Incident, ct)
                ?? throw new NotFoundException("incident");
            incident.Edit(request.Update, request.Message, request.Revision, actor, now);
            await db.Commit(new AuditEntry(actor, "incident.update_edited", incident.Id.ToString(), $"{incident.Title}: {request.Message.Trim()}", now), ct);
            return incident.Id;
        });
    }
}
