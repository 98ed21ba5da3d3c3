using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>What else happens to the same components at that time: other windows, and incidents that are open now. A hint, no refusal.</summary>
public sealed class MaintenanceOverlaps(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public const int Most = 5;

    public sealed record View(IReadOnlyList<Window> Windows, IReadOnlyList<Incident> Incidents)
    {
        public static View None { get; } = new([], []);

        public bool IsEmpty => Windows.Count == 0 && Incidents.Count == 0;
    }

    public sealed record Window(MaintenanceId Id, string Title, DateTimeOffset StartsAt, DateTimeOffset End, IReadOnlyList<string> Components);

    public sealed record Incident(IncidentId Id, string Title, IReadOnlyList<string> Components);

    /// <param name="except">The window itself, whether it is announced already or not.</param>
    public async Task<View> Load(IReadOnlyCollection<ComponentId> components, Interval time, MaintenanceId except, CancellationToken ct)
    {
        if (components.Count == 0 || time.IsEmpty) return View.None;
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var windows = await db.MaintenanceWindows.AsNoTracking()
            .Where(w => w.EndsAt > time.From && w.EndsAt > now && w.StartsAt < time.To && w.CancelledAt == null && w.CompletedAt == null && w.Id != except)
            .Where(w => w.Scope.Any(s => s.RemovedAt == null && components.Contains(s.ComponentId)))
            .OrderBy(w => w.StartsAt).Take(Most).Include(w => w.Scope).AsSplitQuery().ToListAsync(ct);
        var effects = await (from e in db.IncidentEffects
                             where e.To == null && e.Status != ComponentStatus.Operational && components.Contains(e.ComponentId)
                             join i in db.Incidents on e.IncidentId equals i.Id
                             orderby i.StartedAt descending
                             select new { i.Id, i.Title, e.ComponentId }).Take(50).ToListAsync(ct);
        var names = await db.Components.Where(c => components.Contains(c.Id)).Select(c => new { c.Id, c.Name }).ToDictionaryAsync(c => c.Id, c => c.Name, ct);
        return new View(
            [.. windows.Select(w => new Window(w.Id, w.Title, w.StartsAt, w.Times.End, Named(w.Components)))],
            [.. effects.GroupBy(e => (e.Id, e.Title)).Take(Most).Select(g => new Incident(g.Key.Id, g.Key.Title, Named(g.Select(e => e.ComponentId))))]);

        IReadOnlyList<string> Named(IEnumerable<ComponentId> ids) => [.. ids.Where(names.ContainsKey).Distinct().Select(c => names[c]).Order(StringComparer.CurrentCultureIgnoreCase)];
    }
}
