using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Somebody says that alerts are over, and with one all that had joined it. What is over already stays as it was.</summary>
public sealed class ResolveAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
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
            List<Alert> ended = [.. alerts.Distinct().Select(held.Find).OfType<Alert>().Where(a => a.IsOpen)];
            if (ended.Count == 0) return 0;
            foreach (var alert in ended.Union(ended.SelectMany(held.GroupOf)).ToList()) held.Resolve(alert, actor, now);
            await ToldPlaces.Drop(db, ended, $"Resolved by {actor.Name}", now, ct);
            await ToldPlaces.Follow(db, ended, $"Resolved by {actor.Name}", over: true, now, ct);
            await db.Commit([.. ended.Select(a => new AuditEntry(actor, "alert.resolved", a.Id.ToString(), a.Summary, now))], ct);
            await transaction.CommitAsync(ct);
            return ended.Count;
        });
    }
}
