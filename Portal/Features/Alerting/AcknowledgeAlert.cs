using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Somebody takes alerts: nobody is paged of them any more, until the service's acknowledgement runs out. What had joined one is theirs too.</summary>
public sealed class AcknowledgeAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
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
            var taken = held.Open(alerts);
            foreach (var alert in taken.Union(taken.SelectMany(held.GroupOf))) held.Acknowledge(alert, actor, now);
            await ToldPlaces.Drop(db, taken, $"Acknowledged by {actor.Name}", now, ct);
            await ToldPlaces.Follow(db, taken, $"Acknowledged by {actor.Name}", over: false, now, ct);
            await db.Commit([.. taken.Select(a => new AuditEntry(actor, "alert.acknowledged", a.Id.ToString(), a.Summary, now))], ct);
            await transaction.CommitAsync(ct);
            return taken.Count;
        });
    }
}
