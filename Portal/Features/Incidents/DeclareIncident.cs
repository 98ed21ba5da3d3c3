using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>What is promised to the public; <see cref="By"/> null promises nothing.</summary>
public sealed record NextUpdate(DateTimeOffset? By);

/// <summary>Says for the first time that something is wrong, with its first public update.</summary>
public sealed class DeclareIncident(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Impact">Null takes the severity's default.</param>
    /// <param name="Next">Null promises what is usual for the severity.</param>
    /// <param name="StartedAt">Null is now.</param>
    /// <param name="Id">Made with the form: sent twice, the second answer is the first incident.</param>
    /// <param name="ResolvedAt">When it ended, if it is declared as resolved; null is now.</param>
    /// <param name="Alert">What made somebody declare it: it belongs to the incident from then on.</param>
    public sealed record Request(
        string Title, Severity Severity, string Message, IReadOnlyList<ComponentChange> Components, Indicator? Impact = null,
        IncidentStatus Status = IncidentStatus.Investigating, NextUpdate? Next = null, DateTimeOffset? StartedAt = null, IncidentId? Id = null,
        DateTimeOffset? ResolvedAt = null, AlertId? Alert = null);

    public async Task<IncidentId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunIncidents);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (request.Id is { } sent && await db.Incidents.AnyAsync(i => i.Id == sent, ct)) return sent;
        await NamedComponents.Require(db, request.Components, ct);

        var incident = new Incident(request.Title, request.Severity, request.Impact, request.StartedAt, now, request.Id);
        incident.Post(request.Status, request.Message, UpdateVisibility.Public, request.Components, actor, now, resolvedAt: request.ResolvedAt);
        incident.PromiseNext(request.Next, now);
        db.Incidents.Add(incident);
        if (request.Alert is { } alertId && await db.Alerts.SingleOrDefaultAsync(a => a.Id == alertId, ct) is { } alert)
        {
            alert.LinkTo(incident.Id);
            db.Add(new AlertEvent(alertId, AlertEventKind.Linked, actor.Name, $"Declared: {incident.Title}", now));
        }
        try
        {
            await db.Commit(new AuditEntry(actor, "incident.declared", incident.Id.ToString(), $"{incident.Severity} {incident.Title}", now), ct);
        }
        catch (DbUpdateException e) when (request.Id is not null && Contention.IsTaken(e))
        {
            // The same form was sent twice at the same moment; the other one is saved.
            return incident.Id;
        }
        return incident.Id;
    }
}

static class Promises
{
    /// <summary>Keeps the public's expectation honest: each update is followed by a promise, the usual one unless another is given.</summary>
    public static void PromiseNext(this Incident incident, NextUpdate? next, DateTimeOffset now)
    {
        if (next is not null) incident.Promise(next.By, now);
        else if (!incident.IsResolved) incident.Promise(now + incident.Severity.UpdateEvery(), now);
    }
}

static class NamedComponents
{
    /// <exception cref="DomainException">A component does not exist (any more).</exception>
    public static async Task Require(PortalDbContext db, IReadOnlyList<ComponentChange> changes, CancellationToken ct)
    {
        if (changes.Count == 0) return;
        var ids = changes.Select(c => c.Component).ToList();
        var known = await db.Components.Where(c => ids.Contains(c.Id)).Select(c => c.Id).ToListAsync(ct);
        for (var i = 0; i < ids.Count; i++)
            if (!known.Contains(ids[i])) throw new DomainException("This component does not exist any more. Load the screen again to see those that do.", $"components[{i}].slug");
    }
}
