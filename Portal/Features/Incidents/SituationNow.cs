using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>What is wrong at this moment, and what changed last: the overview's answer.</summary>
public sealed class SituationNow(IDbContextFactory<PortalDbContext> contexts, ComponentStatuses statuses)
{
    /// <param name="Components">How many there are in all.</param>
    /// <param name="Unwell">Components that are not as they should be; announced work is none of that.</param>
    /// <param name="QuietSince">When nothing is wrong: since when; null if nothing was ever wrong.</param>
    /// <param name="Changes">The latest lines of the audit log that people who run incidents care for, newest first.</param>
    public sealed record View(
        int Components, IReadOnlyList<ComponentStatuses.Row> Unwell, IReadOnlyList<ComponentStatuses.Row> UnderMaintenance, IReadOnlyList<DownMonitor> Down, int Monitors,
        DateTimeOffset? QuietSince, IReadOnlyList<Change> Changes)
    {
        public bool IsQuiet => Unwell.Count == 0 && Down.Count == 0;
    }

    public sealed record DownMonitor(MonitorId Id, string Name, DateTimeOffset Since, string? Why);

    public sealed record Change(DateTimeOffset At, string By, string Action, string Summary, string Subject);

    public static IReadOnlyList<string> Interesting { get; } = ["incident.declared", "incident.updated", "incident.update_edited", "incident.resolved", "incident.changed", "incident.noted", "maintenance.scheduled", "maintenance.changed", "maintenance.started", "maintenance.verified", "maintenance.ended", "maintenance.cancelled", "maintenance.reinstated", "maintenance.updated", "maintenance.noted",
        "component.status_set", "component.status_cleared",
        "monitor.created", "monitor.changed", "monitor.paused", "monitor.resumed", "monitor.deleted"];

    public async Task<View> Load(CancellationToken ct)
    {
        var components = await statuses.Load(ct);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var down = await (from state in db.MonitorStates
                          where state.Health == MonitorHealth.Down
                          join monitor in db.Monitors on state.MonitorId equals monitor.Id
                          where monitor.PausedAt == null
                          orderby state.Since
                          select new DownMonitor(monitor.Id, monitor.Name, state.Since, state.LastDetail)).Take(50).ToListAsync(ct);
        var lastOutage = await db.Outages.MaxAsync(o => o.To, ct);
        var lastEffect = await db.IncidentEffects.Where(e => e.Status != ComponentStatus.Operational).MaxAsync(e => e.To, ct);
        // By name, not by order: the database keeps the words.
        var lastOverride = await db.StatusOverrides.Where(o => o.Status != ComponentStatus.Operational && o.Status != ComponentStatus.UnderMaintenance).MaxAsync(o => o.To, ct);
        var actions = Interesting.ToArray();
        var changes = await db.Audit.Where(a => actions.Contains(a.Action)).OrderByDescending(a => a.Sequence).Take(10)
            .Select(a => new Change(a.At, a.ActorName, a.Action, a.Summary, a.Subject)).ToListAsync(ct);
        var monitors = await db.Monitors.CountAsync(m => m.PausedAt == null, ct);
        return new View(components.Components.Count, [.. components.Components.Where(c => c.Effective > ComponentStatus.UnderMaintenance)],
            [.. components.Components.Where(c => c.Effective == ComponentStatus.UnderMaintenance)], down, monitors,
            new[] { lastOutage, lastEffect, lastOverride }.Max(), changes);
    }
}
