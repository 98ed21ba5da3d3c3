using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Infrastructure.Persistence;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>Maintenance that is too old to be published: read when somebody asks.</summary>
public sealed class PublicMaintenances(IDbContextFactory<PortalDbContext> contexts)
{
    /// <exception cref="Domain.Shared.NotFoundException">There is none.</exception>
    public async Task<MaintenanceView> Load(MaintenanceId id, CancellationToken ct) =>
        await Load(w => w.Id == id, ct) is [var found, ..] ? found : throw new Domain.Shared.NotFoundException("maintenance window");

    /// <summary>Those that began in the span, latest first; at most 500.</summary>
    public Task<IReadOnlyList<MaintenanceView>> Load(DateTimeOffset from, DateTimeOffset to, CancellationToken ct) => Load(w => w.StartsAt >= from && w.StartsAt < to, ct);

    async Task<IReadOnlyList<MaintenanceView>> Load(System.Linq.Expressions.Expression<Func<MaintenanceWindow, bool>> which, CancellationToken ct)
    {
        await using var db = contexts.CreateDbContext();
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTrackingWithIdentityResolution;
        var windows = await db.MaintenanceWindows.Where(which)
            .Include(w => w.Updates.Where(u => u.Visibility == UpdateVisibility.Public)).Include(w => w.Scope).AsSplitQuery()
            .OrderByDescending(w => w.StartsAt).ThenByDescending(w => w.Id).Take(500).ToListAsync(ct);
        if (windows.Count == 0) return [];
        var assembly = new ModelAssembly(default, [], await db.Components.ToListAsync(ct), [], [], [], []);
        return [.. windows.Select(assembly.View)];
    }
}
