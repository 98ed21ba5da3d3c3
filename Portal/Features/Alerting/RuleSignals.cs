using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Alerting;

namespace Portal.Features.Alerting;

/// <summary>What rules say to the intake, and what it holds of them: a rule fires as long as there is an alert of it, or a signal of one is on its way.</summary>
static class RuleSignals
{
    const string Prefix = "rule:";

    public static string KeyOf(AlertRuleId rule) => $"{Prefix}{rule}";

    /// <summary>Of which services each rule's alerts are, by key; what the last signal on the way says counts.</summary>
    public static async Task<ILookup<string, ServiceId>> Firing(PortalDbContext db, CancellationToken ct)
    {
        var firing = (await db.Alerts.AsNoTracking().Where(a => a.RuleId != null && a.State != AlertState.Resolved && a.Key.StartsWith(Prefix)).Select(a => new { a.Key, a.ServiceId }).ToListAsync(ct))
            .Select(a => (a.Key, a.ServiceId)).ToHashSet();
        foreach (var heard in await db.HeardSignals.FromSql($"select * from heard_signals where signal->>'key' like 'rule:%' order by id").AsNoTracking().ToListAsync(ct))
            if (heard.Signal.Action == SignalAction.Trigger) firing.Add((heard.Signal.Key, heard.ServiceId));
            else if (heard.Signal.Action == SignalAction.Resolve) firing.Remove((heard.Signal.Key, heard.ServiceId));
        return firing.ToLookup(f => f.Key, f => f.ServiceId);
    }

    public static void Trigger(PortalDbContext db, AlertRule rule, RuleReading reading, DateTimeOffset now) =>
        db.HeardSignals.Add(new HeardSignal(rule.ServiceId, new AlertSignal(SignalAction.Trigger, KeyOf(rule.Id), rule.Severity, RuleWords.Summary(rule, reading), RuleFigures.Find(rule.Condition.Figure!).Title,
            new([new AlertLabel("rule", rule.Name), new AlertLabel("figure", rule.Condition.Figure!)]), Rule: rule.Id), now));

    /// <summary>Over, wherever there is an alert of it.</summary>
    public static void Resolve(PortalDbContext db, AlertRule rule, IEnumerable<ServiceId> services, string why, DateTimeOffset now)
    {
        foreach (var service in services)
            db.HeardSignals.Add(new HeardSignal(service, new AlertSignal(SignalAction.Resolve, KeyOf(rule.Id), rule.Severity, $"{rule.Name} {why}", rule.Name, new([]), Rule: rule.Id), now));
    }

    /// <summary>Nobody asks it any more as it was: what it has raised is over. The alert of a monitor ends with its outage.</summary>
    public static async Task End(PortalDbContext db, AlertRule rule, string why, DateTimeOffset now, CancellationToken ct)
    {
        if (rule.Condition.Kind != AlertRuleKind.Outage) Resolve(db, rule, (await Firing(db, ct))[KeyOf(rule.Id)], why, now);
    }
}
