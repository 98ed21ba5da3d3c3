using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>One incident with everything that staff see of it.</summary>
public sealed class IncidentRoom(IDbContextFactory<PortalDbContext> contexts)
{
    public const string Gone = "A component that was deleted";

    /// <param name="Entries">Newest first.</param>
    /// <param name="Components">What the incident says of each component now, or said last.</param>
    public sealed record View(
        IncidentId Id, string Title, Severity Severity, Indicator Impact, IncidentStatus Status, DateTimeOffset StartedAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
        DateTimeOffset? MonitoringAt, DateTimeOffset? ResolvedAt, DateTimeOffset? NextUpdateBy, uint Version, IReadOnlyList<Entry> Entries, IReadOnlyList<Touched> Components)
    {
        public bool IsResolved => ResolvedAt is not null;
        public IncidentHead Head => new(Title, Severity, Impact);
    }

    public sealed record Entry(
        IncidentUpdateId Id, IncidentStatus Status, string Body, UpdateVisibility Visibility, string Author, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
        int Revision, IReadOnlyList<UpdateRevision> Earlier, IReadOnlyList<Affected> Affected);

    public sealed record Affected(ComponentId Component, string Slug, string Name, ComponentStatus Old, ComponentStatus New);

    /// <param name="Until">Null while the incident still holds it.</param>
    public sealed record Touched(ComponentId Component, string Slug, string Name, ComponentStatus Status, DateTimeOffset Since, DateTimeOffset? Until);

    public async Task<View> Load(IncidentId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var incident = await db.Incidents.AsNoTracking().Include(i => i.Updates).Include(i => i.Effects).AsSplitQuery().SingleOrDefaultAsync(i => i.Id == id, ct)
            ?? throw new NotFoundException("incident");
        var ids = incident.Effects.Select(e => e.ComponentId).Concat(incident.Updates.SelectMany(u => u.Affected).Select(a => a.Component)).Distinct().ToList();
        var names = await db.Components.Where(c => ids.Contains(c.Id)).Select(c => new { c.Id, c.Name, c.Slug }).ToDictionaryAsync(c => c.Id, c => (c.Name, c.Slug), ct);
        (string Name, string Slug) Named(ComponentId component) => names.GetValueOrDefault(component, (Gone, ""));

        var entries = incident.Updates.OrderByDescending(u => u.CreatedAt).ThenByDescending(u => u.Id.Value)
            .Select(u => new Entry(u.Id, u.Status, u.Body, u.Visibility, u.Author, u.CreatedAt, u.UpdatedAt, u.Revision, u.Revisions,
                [.. u.Affected.Select(a => new Affected(a.Component, Named(a.Component).Slug, Named(a.Component).Name, a.OldStatus, a.NewStatus))]));
        var components = incident.Current.Select(e => new Touched(e.ComponentId, Named(e.ComponentId).Slug, Named(e.ComponentId).Name, e.Status, e.From, e.To))
            .OrderBy(c => c.Name, StringComparer.CurrentCultureIgnoreCase);
        return new View(incident.Id, incident.Title, incident.Severity, incident.Impact, incident.Status, incident.StartedAt, incident.CreatedAt, incident.UpdatedAt,
            incident.MonitoringAt, incident.ResolvedAt, incident.NextUpdateBy, incident.Version, [.. entries], [.. components]);
    }
}
