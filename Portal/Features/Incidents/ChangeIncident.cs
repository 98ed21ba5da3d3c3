using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>What stands above the timeline.</summary>
public sealed record IncidentHead(string Title, Severity Severity, Indicator Impact)
{
    public static IncidentHead Of(Incident incident) => new(incident.Title, incident.Severity, incident.Impact);

    public override string ToString() => $"{Severity}, impact {Impact.ToString().ToLowerInvariant()}: {Title}";
}

/// <summary>Corrects title, severity and impact, or what is promised.</summary>
public sealed class ChangeIncident(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Title">Null leaves it.</param>
    /// <param name="Severity">Null leaves it.</param>
    /// <param name="Impact">Null leaves it where it was chosen by hand, else follows the severity.</param>
    /// <param name="Next">Null leaves the promise.</param>
    /// <param name="Seen">What the editor's screen showed: a post in the meantime is no conflict, another edit is.</param>
    /// <param name="Version">The row version that a program saw; any change since is a conflict.</param>
    public sealed record Request(
        IncidentId Incident, string? Title = null, Severity? Severity = null, Indicator? Impact = null, NextUpdate? Next = null,
        IncidentHead? Seen = null, uint? Version = null);

    /// <exception cref="ConflictException">Somebody changed the same meanwhile; it carries what stands.</exception>
    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RunIncidents);
        var now = clock.GetUtcNow();
        await Contention.Settle(() => Change(request, actor, now, ct));
    }

    async Task<IncidentId> Change(Request request, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var incident = await db.Incidents.SingleOrDefaultAsync(i => i.Id == request.Incident, ct) ?? throw new NotFoundException("incident");
        var before = IncidentHead.Of(incident);
        if (request.Seen is { } seen && seen != before || request.Version is { } version && version != incident.Version)
            throw new ConflictException("Somebody else changed this incident while you were editing. Nothing was saved; both versions are shown.", before.ToString());

        if (request.Title is { } title) incident.Retitle(title, now);
        if (request.Severity is not null || request.Impact is not null)
        {
            var chosenByHand = incident.Impact != incident.Severity.Impact();
            incident.Rate(request.Severity ?? incident.Severity, request.Impact ?? (chosenByHand ? incident.Impact : null), now);
        }
        if (request.Next is { } next) incident.Promise(next.By, now);
        await db.Commit(new AuditEntry(actor, "incident.changed", incident.Id.ToString(), $"{before} → {IncidentHead.Of(incident)}", now), ct);
        return incident.Id;
    }
}
