using System.Data;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>Reads what customers can see, as it stood at one instant: twelve queries in one snapshot, however much there is.</summary>
public sealed class StatusPageSnapshot(IDbContextFactory<PortalDbContext> contexts)
{
    public static readonly TimeSpan StripLength = TimeSpan.FromDays(91);
    public static readonly TimeSpan RecentIncidents = TimeSpan.FromDays(91);
    public const int LatestIncidents = 50, LatestWindows = 50;

    /// <param name="previous">The last model; its response times are kept if they are of the same minute and of the same charts.</param>
    public async Task<StatusPageModel> Load(StatusPageModel? previous, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = contexts.CreateDbContext();
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTrackingWithIdentityResolution;

        var head = await db.PageVersions.Select(p => new
        {
            p.Version,
            p.ChangedAt,
            PageId = db.Settings.Where(s => s.Key == PageIdentity.Key).Select(s => s.Value).FirstOrDefault(),
            IsDemo = db.Settings.Any(s => s.Key == PageIdentity.DemoKey),
            FirstIncident = db.Incidents.Where(i => i.Updates.Any(u => u.Visibility == UpdateVisibility.Public)).OrderBy(i => i.StartedAt).Select(i => (DateTimeOffset?)i.StartedAt).FirstOrDefault(),
            OldestOfLatest = db.Incidents.OrderByDescending(i => i.StartedAt).Take(LatestIncidents).Min(i => (DateTimeOffset?)i.StartedAt),
        }).SingleAsync(ct);
        var asOf = PageClock.AsOf(head.ChangedAt, now);
        var since = asOf - StripLength;

        var groups = await db.ComponentGroups.OrderBy(g => g.Position).ThenBy(g => g.Id).ToListAsync(ct);
        var components = await db.Components.Include(c => c.Overrides.Where(o => o.To == null || o.To > since)).ToListAsync(ct);
        var watches = await (from m in db.Monitors
                             where m.ComponentId != null || m.PublicChart != null
                             join s in db.MonitorStates on m.Id equals s.MonitorId into states
                             from s in states.DefaultIfEmpty()
                             orderby m.Id
                             select new Watch(m.Id, m.ComponentId, m.PublicChart, m.Impact, m.PausedAt != null, m.Interval, m.Timeout, m.UpdatedAt,
                                 s == null ? null : new WatchState(s.Health, s.FirstCheckAt, s.LastCheckAt))).ToListAsync(ct);
        var outages = await db.Outages.Where(o => o.ComponentId != null && (o.To == null || o.To > since)).OrderBy(o => o.From)
            .Select(o => new OutageRow(o.MonitorId, o.ComponentId!.Value, o.Status, o.From, o.To, o.EarliestFrom, o.EarliestTo)).ToListAsync(ct);
        var gaps = await db.ObservationGaps.Where(g => g.ComponentId != null && (g.To == null || g.To > since)).OrderBy(g => g.From).ToListAsync(ct);
        var incidents = await Incidents(db, asOf - RecentIncidents, head.OldestOfLatest, ct);
        var ids = incidents.Select(i => i.Id).ToList();
        var effects = await (from e in db.IncidentEffects
                             join i in db.Incidents on e.IncidentId equals i.Id
                             where ids.Contains(e.IncidentId) || e.To == null || e.To > since
                             orderby e.From
                             select new EffectRow(e.IncidentId, i.Title, e.ComponentId, e.Status, e.From, e.To)).ToListAsync(ct);

        var windows = await Windows(db, since, ct);

        var assembly = new ModelAssembly(asOf, groups, components, watches, outages, gaps, effects);
        var ordered = assembly.Components();
        var charted = assembly.Charted(ordered);
        var known = previous is not null && PageClock.Minute(PageClock.AsOf(previous.ChangedAt, previous.ReadAt)) == PageClock.Minute(asOf)
            && previous.ResponseTimes.Select(s => (s.Monitor, s.Title, s.Component)).SequenceEqual(charted.Select(w => (w.Id, w.PublicChart!, w.Component)));
        return new StatusPageModel
        {
            Version = head.Version,
            ChangedAt = head.ChangedAt,
            ReadAt = now,
            PageId = head.PageId ?? PageIdentity.Unknown,
            IsDemo = head.IsDemo,
            Groups = [.. groups.Select(g => new GroupView(g.Id, g.Name, g.Position, g.CreatedAt, g.UpdatedAt))],
            Components = ordered,
            Beginning = components.Select(c => (DateTimeOffset?)c.CreatedAt).Append(head.FirstIncident).Min(),
            Incidents = [.. incidents.Select(assembly.View)],
            Maintenances = [.. windows.Select(assembly.View)],
            ResponseTimes = known ? previous!.ResponseTimes : await ResponseTimes.Load(db, charted, PageClock.Minute(asOf), ct),
        };
    }

    static Task<List<MaintenanceWindow>> Windows(PortalDbContext db, DateTimeOffset since, CancellationToken ct)
    {
        var shown = db.MaintenanceWindows.Where(w => w.EndsAt > since).Select(w => w.Id)
            .Union(db.MaintenanceWindows.OrderByDescending(w => w.StartsAt).ThenByDescending(w => w.Id).Take(LatestWindows).Select(w => w.Id));
        return db.MaintenanceWindows.Where(w => shown.Contains(w.Id))
            .Include(w => w.Updates.Where(u => u.Visibility == UpdateVisibility.Public)).Include(w => w.Scope).AsSplitQuery()
            .OrderByDescending(w => w.StartsAt).ThenByDescending(w => w.Id).ToListAsync(ct);
    }

    /// <summary>Only with what was said publicly; one of which nothing was said does not exist for customers.</summary>
    static Task<List<Incident>> Incidents(PortalDbContext db, DateTimeOffset recent, DateTimeOffset? latest, CancellationToken ct)
    {
        var since = latest < recent ? latest.Value : recent;
        // Three index ranges: joined by OR they would be found by reading the whole table.
        var shown = db.Incidents.Where(i => i.ResolvedAt == null).Select(i => i.Id)
            .Union(db.Incidents.Where(i => i.ResolvedAt > recent).Select(i => i.Id))
            .Union(db.Incidents.Where(i => i.StartedAt >= since).Select(i => i.Id));
        return db.Incidents.Where(i => shown.Contains(i.Id) && i.Updates.Any(u => u.Visibility == UpdateVisibility.Public))
            .Include(i => i.Updates.Where(u => u.Visibility == UpdateVisibility.Public))
            .OrderByDescending(i => i.StartedAt).ThenByDescending(i => i.Id)
            .ToListAsync(ct);
    }
}

/// <summary>A monitor that watches a component or has a chart, and its state; null before its first check. Of thousands of monitors only what the page needs is read.</summary>
sealed record Watch(MonitorId Id, ComponentId? Component, string? PublicChart, ComponentStatus Impact, bool IsPaused, TimeSpan Interval, TimeSpan Timeout, DateTimeOffset? UpdatedAt, WatchState? State)
{
    /// <summary>Since when its next check is awaited in vain; null while it is not.</summary>
    public DateTimeOffset? SilentSince(DateTimeOffset asOf) =>
        !IsPaused && State?.LastCheckAt is { } last && MonitorState.AwaitedSince(last, UpdatedAt) is var since && asOf - since > MonitorState.Patience(Interval, Timeout) ? since + Interval : null;
}

sealed record WatchState(MonitorHealth Health, DateTimeOffset? FirstCheckAt, DateTimeOffset? LastCheckAt);

sealed record OutageRow(MonitorId Monitor, ComponentId Component, ComponentStatus Status, DateTimeOffset From, DateTimeOffset? To, DateTimeOffset EarliestFrom, DateTimeOffset? EarliestTo);

sealed record EffectRow(IncidentId Incident, string Title, ComponentId Component, ComponentStatus Status, DateTimeOffset From, DateTimeOffset? To);
