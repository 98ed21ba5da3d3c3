using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.Maintenance;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>What is wrong at this moment, and what changed last: the overview's answer.</summary>
public sealed class SituationNow(IDbContextFactory<PortalDbContext> contexts, ComponentStatuses statuses, TimeProvider clock)
{
    const int Lines = 10;
    /// <summary>Of monitors at most so many are listed.</summary>
    public const int Shown = 50;

    /// <param name="Components">How many there are in all.</param>
    /// <param name="Unwell">Components that are not as they should be; announced work is none of that.</param>
    /// <param name="Down">Without what announced work covers: that is no outage.</param>
    /// <param name="QuietSince">When nothing is wrong: since when; null if nothing was ever wrong.</param>
    /// <param name="Changes">The latest lines of the audit log that people who run incidents care for, newest first.</param>
    public sealed record View(
        int Components, IReadOnlyList<ComponentStatuses.Row> Unwell, IReadOnlyList<ComponentStatuses.Row> UnderMaintenance, IReadOnlyList<DownMonitor> Down, int Monitors,
        DateTimeOffset? QuietSince, IReadOnlyList<Change> Changes)
    {
        /// <summary>Down, and announced work covers it.</summary>
        public IReadOnlyList<DownMonitor> DownInMaintenance { get; init; } = [];
        /// <summary>Up when somebody last looked, which nobody has done for too long.</summary>
        public IReadOnlyList<SilentMonitor> Silent { get; init; } = [];
        /// <summary>How many failures are held against nobody, because the portal itself reaches nothing outside.</summary>
        public int Unjudged { get; init; }
        /// <summary>Places that monitors use and nothing is heard of.</summary>
        public IReadOnlyList<LostPlace> LostPlaces { get; init; } = [];

        public bool IsQuiet => Unwell.Count == 0 && Down.Count == 0 && Silent.Count == 0 && Unjudged == 0;
    }

    public sealed record DownMonitor(MonitorId Id, string Name, DateTimeOffset Since, string? Why);

    public sealed record SilentMonitor(MonitorId Id, string Name, DateTimeOffset LastCheckAt);

    /// <param name="Monitors">How many are to be looked at from there.</param>
    public sealed record LostPlace(string Name, DateTimeOffset LastSeenAt, int Monitors);

    public sealed record Change(DateTimeOffset At, string By, string Action, string Summary, string Subject);

    public static IReadOnlyList<string> Interesting { get; } = ["incident.declared", "incident.updated", "incident.update_edited", "incident.resolved", "incident.changed", "incident.noted", "maintenance.scheduled", "maintenance.changed", "maintenance.started", "maintenance.verified", "maintenance.ended", "maintenance.cancelled", "maintenance.reinstated", "maintenance.updated", "maintenance.noted",
        "component.status_set", "component.status_cleared",
        "monitor.created", "monitor.changed", "monitor.paused", "monitor.resumed", "monitor.deleted", "monitors.imported", "monitors.import-undone", "place.joined", "place.removed"];

    public async Task<View> Load(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var components = await statuses.Load(ct);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var covered = MaintenanceCover.UnderWay(db, now);
        var watched = from state in db.MonitorStates
                      join monitor in db.Monitors on state.MonitorId equals monitor.Id
                      where monitor.PausedAt == null
                      let allowed = monitor.Interval + monitor.Interval + monitor.Interval + monitor.Timeout
                      select new
                      {
                          monitor.Id,
                          monitor.Name,
                          state.Health,
                          state.Since,
                          state.LastDetail,
                          state.LastCheckAt,
                          // As MonitorView judges it.
                          IsSilent = state.UnjudgedSince == null && state.LastCheckAt + allowed < now && monitor.UpdatedAt + allowed < now,
                          IsCovered = monitor.ComponentId != null && covered.Contains(monitor.ComponentId.Value),
                      };
        var down = watched.Where(m => m.Health == MonitorHealth.Down).OrderBy(m => m.Since);
        var silent = await watched.Where(m => m.Health == MonitorHealth.Up && m.IsSilent && !m.IsCovered).OrderBy(m => m.LastCheckAt).Take(Shown).Select(m => new SilentMonitor(m.Id, m.Name, m.LastCheckAt!.Value)).ToListAsync(ct);
        var lastOutage = await db.Outages.MaxAsync(o => o.To, ct);
        var lastEffect = await db.IncidentEffects.Where(e => e.Status != ComponentStatus.Operational).MaxAsync(e => e.To, ct);
        // By name, not by order: the database keeps the words.
        var lastOverride = await db.StatusOverrides.Where(o => o.Status != ComponentStatus.Operational && o.Status != ComponentStatus.UnderMaintenance).MaxAsync(o => o.To, ct);
        var monitors = await db.Monitors.CountAsync(m => m.PausedAt == null, ct);
        return new View(components.Components.Count, [.. components.Components.Where(c => c.Effective > ComponentStatus.UnderMaintenance)],
            [.. components.Components.Where(c => c.Effective == ComponentStatus.UnderMaintenance)], await Some(covered: false), monitors,
            new[] { lastOutage, lastEffect, lastOverride }.Max(), await LatestChanges(db, ct))
        {
            DownInMaintenance = await Some(covered: true),
            Silent = silent,
            Unjudged = await db.MonitorStates.CountAsync(s => s.UnjudgedSince != null && db.Monitors.Any(m => m.Id == s.MonitorId && m.PausedAt == null), ct),
            LostPlaces = await LostPlaces(db, now, ct),
        };

        Task<List<DownMonitor>> Some(bool covered) => down.Where(m => m.IsCovered == covered).Take(Shown).Select(m => new DownMonitor(m.Id, m.Name, m.Since, m.LastDetail)).ToListAsync(ct);
    }

    static async Task<IReadOnlyList<LostPlace>> LostPlaces(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var seen = now - ProbePlace.Patience;
        var lost = await db.ProbePlaces.AsNoTracking().Where(p => p.LastSeenAt < seen).OrderBy(p => p.Name).ToListAsync(ct);
        if (lost.Count == 0) return [];
        var used = (await db.Database.SqlQuery<Guid>($"select unnest(places) as \"Value\" from monitors where places <> '{{}}' and paused_at is null").ToListAsync(ct)).ToLookup(id => id);
        return [.. lost.Select(p => new LostPlace(p.Name, p.LastSeenAt, used[p.Id.Value].Count())).Where(p => p.Monitors > 0)];
    }

    /// <summary>Newest first. An import is one line: what it did to each monitor stands in the audit log.</summary>
    static async Task<IReadOnlyList<Change>> LatestChanges(PortalDbContext db, CancellationToken ct)
    {
        var (actions, found, before) = (Interesting.ToArray(), new List<Change>(), long.MaxValue);
        var (at, by) = (new List<DateTimeOffset>(), new List<Guid?>());
        while (found.Count < Lines)
        {
            var more = await db.Audit.Where(a => a.Sequence < before && actions.Contains(a.Action) && !(a.Action.StartsWith("monitor.") && at.Contains(a.At) && by.Contains(a.ActorId)))
                .OrderByDescending(a => a.Sequence).Take(Lines - found.Count).Select(a => new { a.Sequence, a.ActorId, Change = new Change(a.At, a.ActorName, a.Action, a.Summary, a.Subject) }).ToListAsync(ct);
            var import = more.Find(a => a.Change.Action.StartsWith("monitors.", StringComparison.Ordinal));
            found.AddRange(more.Where(a => import is null || a.Sequence >= import.Sequence).Select(a => a.Change));
            if (import is null) break;
            before = import.Sequence;
            at.Add(import.Change.At);
            by.Add(import.ActorId);
        }
        return found;
    }
}
