using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Finds alerts whose quiet has ended without a signal: a silence, announced maintenance, the first of a group; and those that somebody has just silenced.</summary>
static class QuietSweep
{
    const int AtOnce = 500;
    /// <summary>So long a silence that begins is looked for in what pages already.</summary>
    static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);

    /// <summary>In the transaction that is under way; the caller saves.</summary>
    /// <returns>How many changed.</returns>
    public static async Task<int> Run(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var silenced = await db.Silences.AnyAsync(s => s.To > now && s.From <= now && (s.From > now - Fresh || s.MadeAt > now - Fresh), ct);
        var candidates = await db.Alerts.AsNoTracking().Where(a => a.State != AlertState.Resolved)
            .Where(a => a.Quiet == AlertQuiet.Silenced || a.Quiet == AlertQuiet.Maintenance || a.SnoozedUntil != null && EF.Functions.Like(a.AcknowledgedBy!, AlertRouting.SilenceHolds + "%") || silenced && a.Quiet == AlertQuiet.No && a.State == AlertState.Triggered).ToListAsync(ct);
        var orphans = await db.Database.SqlQuery<Guid>($"""
            select h.id as "Value" from alerts m join alerts h on h.id = m.group_id where m.state <> 'Resolved' and m.group_id is not null and (h.state = 'Resolved' or h.group_id is not null) group by h.id limit 100
            """).ToListAsync(ct);
        if (candidates.Count == 0 && orphans.Count == 0) return 0;

        var serviceIds = candidates.Select(a => a.ServiceId).Distinct().ToList();
        var services = await db.Services.AsNoTracking().Where(s => serviceIds.Contains(s.Id)).ToDictionaryAsync(s => s.Id, ct);
        var quietness = await Quietness.Load(db, candidates.Select(a => a.MonitorId).OfType<MonitorId>().ToHashSet(), candidates.Select(a => a.RuleId).OfType<AlertRuleId>().ToHashSet(), now, ct);
        var changing = candidates.Where(a => Changes(a, services[a.ServiceId], quietness))
            .OrderBy(a => a.Severity).ThenBy(a => a.TriggeredAt).Take(AtOnce).Select(a => a.Id).ToList();
        if (changing.Count == 0 && orphans.Count == 0) return 0;
        return await Change(db, changing, [.. orphans.Select(AlertId.From)], quietness, now, ct);
    }

    /// <summary>What pages is silenced now, what is quiet is so no more, or the silence that snoozed it has ended.</summary>
    static bool Changes(Alert alert, Service service, Quietness quietness) => alert switch
    {
        { Quiet: not AlertQuiet.No } => quietness.Of(alert, service) is null,
        { State: AlertState.Triggered } => quietness.SilenceOf(alert, service) is not null,
        { SnoozedUntil: not null, AcknowledgedBy: { } holder } => holder.StartsWith(AlertRouting.SilenceHolds, StringComparison.Ordinal) && quietness.SilenceOf(alert, service) is null,
        _ => false,
    };

    static async Task<int> Change(PortalDbContext db, List<AlertId> changing, List<AlertId> orphans, Quietness quietness, DateTimeOffset now, CancellationToken ct)
    {
        var members = orphans.Count == 0 ? [] : await db.Alerts.Where(a => a.GroupId != null && orphans.Contains(a.GroupId.Value) && a.State != AlertState.Resolved).Select(a => a.Id).ToListAsync(ct);
        var held = await HeldAlerts.Hold(db, [.. changing.Concat(orphans).Concat(members).Distinct()], ct);
        var routing = await AlertRouting.Load(db, held, quietness, [.. held.All.Select(held.ServiceOf).DistinctBy(s => s.Id)], quietness.Rules, now, ct);
        var told = (await db.Deliveries.Where(d => d.AlertId != null && changing.Contains(d.AlertId.Value) && d.Step == null).Select(d => d.Key).ToListAsync(ct)).ToHashSet();
        List<Alert> woken = [], hushed = [];
        foreach (var alert in changing.Select(held.Find).OfType<Alert>().Where(a => a.IsOpen).OrderBy(a => a.Severity).ThenBy(a => a.TriggeredAt))
            if (!Changes(alert, held.ServiceOf(alert), quietness)) continue;
            else if (alert.Quiet == AlertQuiet.No && alert.State == AlertState.Triggered)
            {
                routing.Silence(alert, quietness.SilenceOf(alert, held.ServiceOf(alert))!);
                hushed.Add(alert);
            }
            else if (alert.Quiet == AlertQuiet.No) routing.Wake(alert);
            else
            {
                // What a silence held back together is one page when it ends.
                var head = held.ServiceOf(alert).GroupFor > 0 ? woken.FirstOrDefault(w => w.IsHeadFor(alert)) : null;
                routing.Route(alert, held.ServiceOf(alert), head, told);
                if (alert.Quiet == AlertQuiet.No) woken.Add(alert);
            }
        await ToldPlaces.Drop(db, hushed, "It was silenced", now, ct);
        foreach (var first in orphans.Select(held.Find).OfType<Alert>()) routing.Promote(first);
        return changing.Count + orphans.Count;
    }
}
