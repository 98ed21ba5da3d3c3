using Microsoft.EntityFrameworkCore;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>Which components announced work covers: what is found of them meanwhile is kept, counts as no outage and raises nothing.</summary>
public sealed class MaintenanceCover(IDbContextFactory<PortalDbContext> contexts)
{
    public sealed record Span(MaintenanceId Window, string Title, Interval Covered);

    /// <summary>Those that are covered at this moment.</summary>
    public static IQueryable<ComponentId> UnderWay(PortalDbContext db, DateTimeOffset now) =>
        from window in db.MaintenanceWindows
        where window.EndsAt > now && window.StartsAt <= now && window.CancelledAt == null && (window.CompletedAt == null || window.CompletedAt > now)
        from part in window.Scope
        where part.AddedAt <= now && (part.RemovedAt == null || part.RemovedAt > now)
        select part.ComponentId;

    /// <summary>When a component is covered within a time, the earliest first.</summary>
    public async Task<IReadOnlyList<Span>> Load(ComponentId component, DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var windows = await db.MaintenanceWindows.AsNoTracking().Where(w => w.EndsAt > from && w.StartsAt < to && w.CancelledAt == null && w.Scope.Any(c => c.ComponentId == component))
            .Include(w => w.Scope.Where(c => c.ComponentId == component)).OrderBy(w => w.StartsAt).Take(100).ToListAsync(ct);
        return [.. windows.SelectMany(w => w.Scope.Select(c => new Span(w.Id, w.Title, c.Covered(w.Times)))).Where(s => !s.Covered.Intersect(new(from, to)).IsEmpty)];
    }
}
