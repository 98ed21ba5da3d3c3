using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Somebody has seen alerts and wants to be paged of them again later.</summary>
public sealed class SnoozeAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="until">In the future, at most a week ahead.</param>
    public async Task Execute(IReadOnlyList<AlertId> alerts, DateTimeOffset until, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.HandleAlerts);
        var now = clock.GetUtcNow();
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            var held = await HeldAlerts.Named(db, alerts, withGroups: false, ct);
            var taken = held.Open(alerts);
            foreach (var alert in taken)
            {
                if (held.EscalationOf(alert) is not { } escalation) throw new DomainException($"\"{alert.Summary}\" pages nobody, so there is nothing to snooze. {alert.QuietBecause}");
                alert.Snooze(until, actor, now);
                escalation.Acknowledge(now, actor, until);
                held.Note(alert, AlertEventKind.Snoozed, actor.Name, $"Snoozed by {actor.Name} until {ToldPlaces.At(until)}", now);
            }
            await ToldPlaces.Drop(db, taken, $"Snoozed by {actor.Name}", now, ct);
            await db.Commit([.. taken.Select(a => new AuditEntry(actor, "alert.snoozed", a.Id.ToString(), $"{a.Summary}: until {ToldPlaces.At(until)}", now))], ct);
            await transaction.CommitAsync(ct);
            return taken.Count;
        });
    }
}
