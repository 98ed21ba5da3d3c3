using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.Maintenance;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.StatusPages;

/// <summary>All components in the order of the page, each with the status that customers see and why.</summary>
public sealed class ComponentStatuses(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record View(IReadOnlyList<Group> Groups, IReadOnlyList<Row> Components)
    {
        /// <summary>Those of a group; null: those without one, which come first.</summary>
        public IEnumerable<Row> Of(ComponentGroupId? group) => Components.Where(c => c.GroupId == group);
    }

    public sealed record Group(ComponentGroupId Id, string Name, int Position, uint Version);

    /// <param name="Override">Set by hand; wins over what monitors and incidents say.</param>
    /// <param name="Monitors">Names of the monitors that watch it.</param>
    public sealed record Row(
        ComponentId Id, string Slug, string Name, string? Description, ComponentGroupId? GroupId, string? GroupName, int Position, ComponentStatus Effective,
        ComponentStatus? Override, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, uint Version, IReadOnlyList<string> Monitors);

    public async Task<View> Load(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var groups = await db.ComponentGroups.AsNoTracking().ToListAsync(ct);
        var components = await db.Components.AsNoTracking().ToListAsync(ct);
        var monitors = await (from m in db.Monitors
                              where m.ComponentId != null
                              join state in db.MonitorStates on m.Id equals state.MonitorId into states
                              from state in states.DefaultIfEmpty()
                              select new { Component = m.ComponentId!.Value, m.Name, m.Impact, IsDown = m.PausedAt == null && state.Health == MonitorHealth.Down }).ToListAsync(ct);
        var effects = await db.IncidentEffects.Where(e => e.To == null).Select(e => new { Component = e.ComponentId, e.Status }).ToListAsync(ct);
        var maintained = (await MaintenanceCover.UnderWay(db, now).ToListAsync(ct)).ToHashSet();
        var evidence = monitors.Where(m => m.IsDown).Select(m => new { m.Component, Status = m.Impact }).Concat(effects).ToLookup(e => e.Component, e => e.Status);
        var watching = monitors.ToLookup(m => m.Component, m => m.Name);

        var order = groups.OrderBy(g => g.Position).ThenBy(g => g.Id.Value).ToList();
        var rank = order.Select((g, i) => (g, i)).ToDictionary(x => x.g.Id, x => (x.i, x.g.Name));
        // Read one after the other: a component whose group came or went in between stands without one until the next look.
        return new View(
            [.. order.Select(g => new Group(g.Id, g.Name, g.Position, g.Version))],
            [.. components.OrderBy(c => c.GroupId is { } g && rank.TryGetValue(g, out var at) ? at.i : -1).ThenBy(c => c.Position).ThenBy(c => c.Id.Value)
                .Select(c => new Row(c.Id, c.Slug, c.Name, c.Description, rank.ContainsKey(c.GroupId ?? default) ? c.GroupId : null, rank.GetValueOrDefault(c.GroupId ?? default).Name, c.Position,
                    StatusRules.Effective(maintained.Contains(c.Id), c.Override, evidence[c.Id]), c.Override, c.CreatedAt, c.UpdatedAt, c.Version,
                    [.. watching[c.Id].Order(StringComparer.CurrentCultureIgnoreCase)]))]);
    }
}
