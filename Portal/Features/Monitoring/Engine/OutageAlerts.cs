using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Maintenance;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Alerting;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring.Engine;

/// <summary>What alerting hears of outages, saved with them: one alert for one cause, none for announced work, and an end for each.</summary>
static class OutageAlerts
{
    /// <summary>So many are caught up with at once; the next turn takes the rest.</summary>
    const int AtOnce = 500;

    public static string KeyOf(MonitorId monitor) => $"monitor:{monitor}";

    /// <summary>Whether the outage that is open now is an alert.</summary>
    public static Task<bool> IsAlerted(PortalDbContext db, MonitorId monitor, CancellationToken ct) =>
        db.Outages.AnyAsync(o => o.MonitorId == monitor && o.To == null && o.AlertedAt != null, ct);

    /// <summary>After an outage began or ended, and its causes were told.</summary>
    /// <param name="alerted">Whether it was one before: an outage that another one follows at once, as when its component is changed, is one alert.</param>
    public static async Task Settle(PortalDbContext db, Monitor monitor, bool alerted, DateTimeOffset now, CancellationToken ct)
    {
        // What was paged for already turns out to come of this one.
        var effects = db.ChangeTracker.Entries<Outage>().Select(e => e.Entity).Where(o => o is { To: null, CausedBy: not null, AlertedAt: not null }).ToList();
        foreach (var effect in effects) effect.Retract();
        var ids = effects.Select(o => o.MonitorId).ToList();
        if (ids.Count > 0) await End(db, await db.Monitors.AsNoTracking().Where(m => ids.Contains(m.Id)).ToListAsync(ct), $"is down because {monitor.Name} is", now, ct);

        var open = await db.Outages.SingleOrDefaultAsync(o => o.MonitorId == monitor.Id && o.To == null, ct);
        if (open is { CausedBy: null } && alerted) open.Alert(now);
        else if (open is { CausedBy: null } && !await IsCovered(db, monitor, now, ct)) await Begin(db, [(monitor, open, open.From)], now, ct);
        else if (alerted) await End(db, [monitor], open is not null ? "is down for another reason" : monitor.PausedAt is null ? "is up again" : "is paused", now, ct);
    }

    /// <summary>Outages that are no alert and ought to be: what caused them is over and they are still down, announced work is, or a rule is about them by now.</summary>
    /// <returns>How many became one.</returns>
    public static async Task<int> CatchUp(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var covered = MaintenanceCover.UnderWay(db, now);
        var found = await (
            from outage in db.Outages
            where outage.To == null && outage.AlertedAt == null
            join monitor in db.Monitors on outage.MonitorId equals monitor.Id
            join state in db.MonitorStates on outage.MonitorId equals state.MonitorId
            where monitor.PausedAt == null && (monitor.ComponentId == null || !covered.Contains(monitor.ComponentId.Value))
            // It was looked at since its cause ended, and was not well: a good check may only need another one to end it.
            where outage.CausedBy == null || db.Outages.Any(c => c.Id == outage.CausedBy && c.To != null && state.LastBadAt > c.To && (state.LastGoodAt == null || state.LastGoodAt < state.LastBadAt))
            orderby outage.From
            select new { outage, monitor }).Take(AtOnce).ToListAsync(ct);
        // It is not late: what it waited for is over only now.
        return found.Count == 0 ? 0 : await Begin(db, [.. found.Select(f => (f.monitor, f.outage, (DateTimeOffset?)null))], now, ct);
    }

    static Task<bool> IsCovered(PortalDbContext db, Monitor monitor, DateTimeOffset now, CancellationToken ct) =>
        monitor.ComponentId is { } component ? MaintenanceCover.UnderWay(db, now).ContainsAsync(component, ct) : Task.FromResult(false);

    static async Task<int> Begin(PortalDbContext db, IReadOnlyList<(Monitor Monitor, Outage Outage, DateTimeOffset? At)> downs, DateTimeOffset now, CancellationToken ct)
    {
        var rules = await Rules(db, ct);
        var components = downs.Select(d => d.Monitor.ComponentId).OfType<Domain.StatusPages.ComponentId>().Distinct().ToList();
        var slugs = components.Count == 0 ? [] : await db.Components.Where(c => components.Contains(c.Id)).ToDictionaryAsync(c => c.Id, c => c.Slug, ct);
        var begun = 0;
        foreach (var (monitor, outage, at) in downs)
        {
            if (RuleFor(rules, monitor.Id) is not { } rule) continue;
            var labels = new List<AlertLabel> { new("monitor", monitor.Name), new("kind", MonitorOptions.Word(monitor.Kind)) };
            if (monitor.ComponentId is { } id && slugs.GetValueOrDefault(id) is { } slug) labels.Add(new("component", slug));
            labels.AddRange(monitor.Tags.Select(t => new AlertLabel("tag", t)));
            db.HeardSignals.Add(new HeardSignal(rule.ServiceId, new AlertSignal(SignalAction.Trigger, KeyOf(monitor.Id), rule.Severity, $"{monitor.Name} is down: {outage.Cause}", monitor.Name, new(labels),
                At: at, Rule: rule.Id, Monitor: monitor.Id), now));
            outage.Alert(now);
            begun++;
        }
        return begun;
    }

    /// <summary>Wherever there is an alert of them, also of a service that the rule has left meanwhile.</summary>
    public static async Task End(PortalDbContext db, IReadOnlyList<Monitor> monitors, string why, DateTimeOffset now, CancellationToken ct)
    {
        if (monitors.Count == 0) return;
        var ids = monitors.Select(m => (MonitorId?)m.Id).ToList();
        var open = (await db.Alerts.Where(a => ids.Contains(a.MonitorId) && a.State != AlertState.Resolved).Select(a => new { a.MonitorId, a.ServiceId }).ToListAsync(ct)).ToLookup(a => a.MonitorId!.Value, a => a.ServiceId);
        var rules = await Rules(db, ct);
        foreach (var monitor in monitors)
            // What was heard last may not be an alert yet.
            foreach (var service in open[monitor.Id].Concat(RuleFor(rules, monitor.Id) is { } rule ? [rule.ServiceId] : []).Distinct())
                db.HeardSignals.Add(new HeardSignal(service, new AlertSignal(SignalAction.Resolve, KeyOf(monitor.Id), Severity.P3, $"{monitor.Name} {why}", monitor.Name, new([]), Monitor: monitor.Id), now));
    }

    static async Task<List<AlertRule>> Rules(PortalDbContext db, CancellationToken ct) =>
        [.. (await db.AlertRules.AsNoTracking().Where(r => r.PausedAt == null).OrderBy(r => r.CreatedAt).ThenBy(r => r.Id).ToListAsync(ct)).Where(r => r.Condition.Kind == AlertRuleKind.Outage)];

    /// <summary>The worst that names it, else the worst that names none.</summary>
    static AlertRule? RuleFor(List<AlertRule> rules, MonitorId monitor) =>
        rules.Where(r => r.Condition.Monitors.Contains(monitor)).MinBy(r => r.Severity) ?? rules.Where(r => r.Condition.Monitors.Count == 0).MinBy(r => r.Severity);
}
