using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Monitoring;
using Portal.Domain.StatusPages;
using Portal.Features.Maintenance;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>What keeps alerts quiet at one moment: silences, announced maintenance, and rules that page nobody.</summary>
sealed class Quietness(IReadOnlyList<Silence> silences, IReadOnlySet<ComponentId> maintained, IReadOnlyDictionary<MonitorId, ComponentId?> monitors, IReadOnlyDictionary<AlertRuleId, AlertRule> rules, DateTimeOffset now)
{
    /// <param name="monitorIds">Of the alerts that are asked for.</param>
    /// <param name="ruleIds">Likewise.</param>
    public static async Task<Quietness> Load(PortalDbContext db, IReadOnlyCollection<MonitorId> monitorIds, IReadOnlyCollection<AlertRuleId> ruleIds, DateTimeOffset now, CancellationToken ct) => new(
        await db.Silences.AsNoTracking().Where(s => s.To > now && s.From <= now).OrderByDescending(s => s.To).ToListAsync(ct),
        (await MaintenanceCover.UnderWay(db, now).ToListAsync(ct)).ToHashSet(),
        monitorIds.Count == 0 ? new Dictionary<MonitorId, ComponentId?>() : await db.Monitors.AsNoTracking().Where(m => monitorIds.Contains(m.Id)).Select(m => new { m.Id, m.ComponentId }).ToDictionaryAsync(m => m.Id, m => m.ComponentId, ct),
        ruleIds.Count == 0 ? new Dictionary<AlertRuleId, AlertRule>() : await db.AlertRules.AsNoTracking().Where(r => ruleIds.Contains(r.Id)).ToDictionaryAsync(r => r.Id, ct),
        now);

    public IEnumerable<AlertRule> Rules => rules.Values;

    public AlertRule? RuleOf(Alert alert) => alert.RuleId is { } id ? rules.GetValueOrDefault(id) : null;

    /// <returns>Null where nothing keeps it quiet.</returns>
    public (AlertQuiet Why, string Because)? Of(Alert alert, Service service)
    {
        if (SilenceOf(alert, service) is { } silence) return (AlertQuiet.Silenced, Words(silence));
        // A monitor says exactly what it is about; anything else may be about all that the service names.
        var about = alert.MonitorId is { } monitor && monitors.GetValueOrDefault(monitor) is { } component ? [component] : service.Components;
        if (maintained.Count > 0 && about.Any(maintained.Contains)) return (AlertQuiet.Maintenance, "What it is about is under announced maintenance");
        return null;
    }

    /// <returns>Null where nobody silenced its like.</returns>
    public Silence? SilenceOf(Alert alert, Service service)
    {
        if (silences.Count == 0) return null;
        var labels = alert.AllLabels(service.Slug);
        return silences.FirstOrDefault(s => s.Covers(labels, now));
    }

    public static string Words(Silence silence)
    {
        var text = $"Silenced by {silence.MadeBy} until {ToldPlaces.At(silence.To)}: {silence.Reason}";
        return text.Length <= AlertSignal.SummaryLength ? text : string.Concat(text.AsSpan(0, AlertSignal.SummaryLength - 1), "…");
    }
}
