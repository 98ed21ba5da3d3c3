using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>Adds to an incident's timeline: a word to the public (which may change status and components, and resolve it), or a note for the team.</summary>
public sealed class PostIncidentUpdate(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Status">Null leaves it as it stands when the update is saved; a note cannot change it.</param>
    /// <param name="Next">Null promises what is usual for the severity; a note promises nothing.</param>
    /// <param name="Id">Made with the form: sent twice, the second answer is the first update.</param>
    public sealed record Request(
        IncidentId Incident, string Message, UpdateVisibility Visibility, IReadOnlyList<ComponentChange> Components,
        IncidentStatus? Status = null, NextUpdate? Next = null, IncidentUpdateId? Id = null);

    public async Task<IncidentUpdateId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunIncidents);
        if (request.Visibility == UpdateVisibility.Internal && request.Status is not null)
            throw new DomainException("A note for the team cannot change the status: post a public update.", "status");
        if (request.Visibility == UpdateVisibility.Internal && request.Next is not null)
            throw new DomainException("A note for the team promises nothing to customers: post a public update, or change the incident.", "nextUpdateBy");
        var now = clock.GetUtcNow();
        // A post is not an edit: two people who post at once both succeed.
        return await Contention.Settle(() => Post(request, actor, now, ct));
    }

    async Task<IncidentUpdateId> Post(Request request, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var incident = await db.Incidents.Include(i => i.Updates).Include(i => i.Effects).AsSplitQuery().SingleOrDefaultAsync(i => i.Id == request.Incident, ct)
            ?? throw new NotFoundException("incident");
        if (request.Id is { } sent && incident.Updates.Any(u => u.Id == sent)) return sent;
        await NamedComponents.Require(db, request.Components, ct);

        var wasResolved = incident.IsResolved;
        var update = incident.Post(request.Status ?? incident.Status, request.Message, request.Visibility, request.Components, actor, now, request.Id);
        if (update.Visibility == UpdateVisibility.Public) incident.PromiseNext(request.Next, now);
        var action = update.Visibility == UpdateVisibility.Internal ? "incident.noted" : incident.IsResolved && !wasResolved ? "incident.resolved" : "incident.updated";
        await db.Commit(new AuditEntry(actor, action, incident.Id.ToString(), $"{incident.Title}: {update.Body}", now), ct);
        return update.Id;
    }
}
