using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>One alert with everything that staff see of it.</summary>
public sealed class AlertRoom(IDbContextFactory<PortalDbContext> contexts)
{
    /// <summary>Of each list so many, the latest.</summary>
    public const int Shown = 200, ShownMembers = 50;

    /// <param name="Policy">By which it goes, with the step that comes next; null where it pages nobody.</param>
    /// <param name="Events">Newest first.</param>
    /// <param name="Deliveries">Newest first.</param>
    /// <param name="Members">Open ones first.</param>
    public sealed record View(
        Alert Alert, string ServiceName, string? RuleName, string? Runbook, string? MonitorName, string? IncidentTitle, string? HeadSummary, Going? Policy,
        IReadOnlyList<AlertEvent> Events, IReadOnlyList<Delivery> Deliveries, IReadOnlyList<Member> Members);

    public sealed record Member(AlertId Id, string Summary, AlertState State, DateTimeOffset TriggeredAt);

    /// <param name="Steps">How many there are in all rounds.</param>
    public sealed record Going(EscalationPolicyId Id, string Name, EscalationState State, int Position, int Steps, DateTimeOffset? NextAt);

    public async Task<View> Load(AlertId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var alert = await db.Alerts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == id, ct) ?? throw new NotFoundException("alert");
        var service = await db.Services.Where(s => s.Id == alert.ServiceId).Select(s => s.Name).SingleAsync(ct);
        var rule = alert.RuleId is { } ruleId ? await db.AlertRules.Where(r => r.Id == ruleId).Select(r => new { r.Name, r.Runbook }).SingleOrDefaultAsync(ct) : null;
        var monitor = alert.MonitorId is { } monitorId ? await db.Monitors.Where(m => m.Id == monitorId).Select(m => m.Name).SingleOrDefaultAsync(ct) : null;
        var incident = alert.IncidentId is { } incidentId ? await db.Incidents.Where(i => i.Id == incidentId).Select(i => i.Title).SingleOrDefaultAsync(ct) : null;
        var head = alert.GroupId is { } headId ? await db.Alerts.Where(a => a.Id == headId).Select(a => a.Summary).SingleOrDefaultAsync(ct) : null;
        var members = alert.GroupCount == 0 ? [] : await db.Alerts.Where(a => a.GroupId == id).OrderBy(a => a.State == AlertState.Resolved).ThenByDescending(a => a.TriggeredAt).Take(ShownMembers)
            .Select(a => new Member(a.Id, a.Summary, a.State, a.TriggeredAt)).ToListAsync(ct);
        var events = await db.AlertEvents.AsNoTracking().Where(e => e.AlertId == id).OrderByDescending(e => e.At).ThenByDescending(e => e.Id).Take(Shown).ToListAsync(ct);
        var deliveries = await db.Deliveries.AsNoTracking().Where(d => d.AlertId == id).OrderByDescending(d => d.CreatedAt).Take(Shown).ToListAsync(ct);
        return new(alert, service, rule?.Name, rule?.Runbook, monitor, incident, head, await Policy(db, id, ct), events, deliveries, members);
    }

    static async Task<Going?> Policy(PortalDbContext db, AlertId id, CancellationToken ct)
    {
        if (await db.Escalations.AsNoTracking().SingleOrDefaultAsync(e => e.AlertId == id, ct) is not { } escalation) return null;
        var policy = await db.EscalationPolicies.AsNoTracking().SingleAsync(p => p.Id == escalation.PolicyId, ct);
        return new(policy.Id, policy.Name, escalation.State, escalation.Position, policy.Numbered(escalation.PolicyNumber).StepsInAll, escalation.NextAt);
    }
}
