using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>One window with everything that staff see of it, the entries that nobody wrote among them.</summary>
public sealed class MaintenanceFile(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public const string Gone = "A component that was deleted";

    /// <param name="Entries">Newest first.</param>
    /// <param name="Components">Those of the plan; what was taken out while it was under way is named in <paramref name="Removed"/>.</param>
    public sealed record View(
        MaintenanceId Id, MaintenancePlan Plan, MaintenanceTimes Times, MaintenanceStatus Status, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, uint Version,
        IReadOnlyList<Entry> Entries, IReadOnlyList<Part> Components, IReadOnlyList<Part> Removed);

    /// <param name="Body">Null for an edge that came by itself: the status says it.</param>
    /// <param name="Author">Null for what nobody wrote.</param>
    public sealed record Entry(MaintenanceUpdateId Id, MaintenanceStatus Status, string? Body, UpdateVisibility Visibility, string? Author, DateTimeOffset At);

    public sealed record Part(ComponentId Component, string Slug, string Name);

    public async Task<View> Load(MaintenanceId id, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var window = await db.MaintenanceWindows.AsNoTracking().Include(w => w.Updates).Include(w => w.Scope).AsSplitQuery().SingleOrDefaultAsync(w => w.Id == id, ct)
            ?? throw new NotFoundException("maintenance window");
        var ids = window.Scope.Select(s => s.ComponentId).ToList();
        var names = await db.Components.Where(c => ids.Contains(c.Id)).Select(c => new { c.Id, c.Name, c.Slug }).ToDictionaryAsync(c => c.Id, c => (c.Name, c.Slug), ct);
        var entries = window.Updates.Select(u => new Entry(u.Id, u.Status, u.Body, u.Visibility, u.Author, u.CreatedAt))
            .Concat(window.Times.Edges.Where(e => e.At <= now && e.Status != MaintenanceStatus.Cancelled)
                .Select(e => new Entry(MaintenanceUpdateId.Of(window.Id, e.Status), e.Status, null, UpdateVisibility.Public, null, e.At)))
            .OrderByDescending(e => e.At).ThenByDescending(e => e.Status).ThenByDescending(e => e.Id.Value);
        return new View(window.Id, window.Plan, window.Times, window.StatusAt(now), window.CreatedBy, window.CreatedAt, window.UpdatedAt, window.Version,
            [.. entries], Parts(window.Components), Parts(window.Scope.Where(s => s.RemovedAt is not null).Select(s => s.ComponentId).Except(window.Components)));

        IReadOnlyList<Part> Parts(IEnumerable<ComponentId> of) =>
            [.. of.Distinct().Select(c => names.TryGetValue(c, out var n) ? new Part(c, n.Slug, n.Name) : new Part(c, "", Gone)).OrderBy(p => p.Name, StringComparer.CurrentCultureIgnoreCase)];
    }
}
