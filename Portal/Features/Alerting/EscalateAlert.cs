using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>The next step fires at once, also if somebody has the alert, it is quiet, or support hours are closed.</summary>
public sealed class EscalateAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(IReadOnlyList<AlertId> alerts, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var held = await HeldAlerts.Named(db, alerts, withGroups: false, ct);
            var raised = held.Open(alerts);
            var ids = raised.Select(a => held.EscalationOf(a)?.PolicyId ?? held.ServiceOf(a).Policies.Of(a.Severity)).ToHashSet();
            var policies = await db.EscalationPolicies.AsNoTracking().Where(p => ids.Contains(p.Id)).ToDictionaryAsync(p => p.Id, ct);
            foreach (var alert in raised)
            {
                if (alert.State == AlertState.Acknowledged) alert.Release();
                if (held.EscalationOf(alert) is { } running) running.Escalate(policies[running.PolicyId].Numbered(running.PolicyNumber), now);
                else if (held.ServiceOf(alert).Policies.Of(alert.Severity) is { } policy) held.Begin(alert, policies[policy].Current, now);
                else throw new DomainException($"\"{alert.Summary}\" has no policy to escalate by: its service names none for {alert.Severity}. Assign it to one.");
                if (alert.Quiet != AlertQuiet.No) alert.Speak();
                held.Note(alert, AlertEventKind.Escalated, actor.Name, $"Escalated by {actor.Name}", now);
            }
            await db.Commit([.. raised.Select(a => new AuditEntry(actor, "alert.escalated", a.Id.ToString(), a.Summary, now))], ct);
            await transaction.CommitAsync(ct);
            return raised.Count;
        });
    }
}
