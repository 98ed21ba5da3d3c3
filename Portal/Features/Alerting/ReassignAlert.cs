using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Alerts begin anew by another policy, at once; one that was quiet pages from now on.</summary>
public sealed class ReassignAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(IReadOnlyList<AlertId> alerts, EscalationPolicyId policy, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var held = await HeldAlerts.Named(db, alerts, withGroups: false, ct);
            var moved = held.Open(alerts);
            var to = await db.EscalationPolicies.AsNoTracking().SingleOrDefaultAsync(p => p.Id == policy, ct) ?? throw new NotFoundException("policy");
            foreach (var alert in moved)
            {
                if (alert.State == AlertState.Acknowledged) alert.Release();
                if (alert.Quiet != AlertQuiet.No) alert.Speak();
                held.Begin(alert, to.Current, now);
                held.Note(alert, AlertEventKind.Reassigned, actor.Name, $"Assigned to {to.Name} by {actor.Name}", now);
            }
            await ToldPlaces.Drop(db, moved, $"Assigned to {to.Name}", now, ct);
            await db.Commit([.. moved.Select(a => new AuditEntry(actor, "alert.reassigned", a.Id.ToString(), $"{a.Summary}: to {to.Name}", now))], ct);
            await transaction.CommitAsync(ct);
            return moved.Count;
        });
    }
}
