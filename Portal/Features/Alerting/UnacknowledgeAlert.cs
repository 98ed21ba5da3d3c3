using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Whoever had alerts gives them back: they page again at once.</summary>
public sealed class UnacknowledgeAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(IReadOnlyList<AlertId> alerts, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var held = await HeldAlerts.Named(db, alerts, withGroups: true, ct);
            List<Alert> given = [.. held.Open(alerts).Where(a => a.State == AlertState.Acknowledged)];
            if (given.Count == 0) throw new DomainException("Nobody has it, so there is nothing to give back.");
            foreach (var alert in given.Union(given.SelectMany(held.GroupOf).Where(a => a.State == AlertState.Acknowledged)))
            {
                alert.Release();
                held.EscalationOf(alert)?.Unacknowledge(now);
                held.Note(alert, AlertEventKind.Released, actor.Name, $"Given back by {actor.Name}", now);
            }
            await db.Commit([.. given.Select(a => new AuditEntry(actor, "alert.released", a.Id.ToString(), a.Summary, now))], ct);
            await transaction.CommitAsync(ct);
            return given.Count;
        });
    }
}
