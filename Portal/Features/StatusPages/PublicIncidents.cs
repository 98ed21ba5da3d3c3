using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Infrastructure.Persistence;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>Incidents that are too old to be published: read when somebody asks.</summary>
public sealed class PublicIncidents(IDbContextFactory<PortalDbContext> contexts)
{
    /// <exception cref="Domain.Shared.NotFoundException">There is none, or nothing was said of it publicly.</exception>
    public async Task<IncidentView> Load(IncidentId id, DateTimeOffset now, CancellationToken ct) =>
        await Load(i => i.Id == id, now, ct) is [var found, ..] ? found : throw new Domain.Shared.NotFoundException("incident");

    /// <summary>Those that began in the span, newest first; at most 500.</summary>
    public Task<IReadOnlyList<IncidentView>> Load(DateTimeOffset from, DateTimeOffset to, DateTimeOffset now, CancellationToken ct) =>
        Load(i => i.StartedAt >= from && i.StartedAt < to, now, ct);

    async Task<IReadOnlyList<IncidentView>> Load(System.Linq.Expressions.Expression<Func<Incident, bool>> which, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = contexts.CreateDbContext();
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTrackingWithIdentityResolution;
        var incidents = await db.Incidents.Where(i => i.Updates.Any(u => u.Visibility == UpdateVisibility.Public)).Where(which)
            .Include(i => i.Updates.Where(u => u.Visibility == UpdateVisibility.Public))
            .OrderByDescending(i => i.StartedAt).ThenByDescending(i => i.Id).Take(500).ToListAsync(ct);
        if (incidents.Count == 0) return [];
        var ids = incidents.Select(i => i.Id).ToList();
        var effects = await db.IncidentEffects.Where(e => ids.Contains(e.IncidentId)).OrderBy(e => e.From)
            .Select(e => new EffectRow(e.IncidentId, "", e.ComponentId, e.Status, e.From, e.To)).ToListAsync(ct);
        var components = await db.Components.ToListAsync(ct);
        var assembly = new ModelAssembly(now, [], components, [], [], [], effects);
        return [.. incidents.Select(assembly.View)];
    }
}
