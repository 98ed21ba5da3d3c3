using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Somebody answers a page by the link in it, without signing in: the link is the permission, for this alert and this person alone.</summary>
public sealed class AnswerAlert(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="delivery">That of the link.</param>
    /// <param name="from">The network address.</param>
    /// <returns>What stands now.</returns>
    public async Task<AnswerTarget.View?> Execute(DeliveryId delivery, bool resolve, string? from, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            await using var transaction = await db.Database.BeginTransactionAsync(ct);
            if (await AnswerTarget.Find(db, delivery, now, ct) is not { State: AnswerState.Open or AnswerState.Acknowledged } target) return await AnswerTarget.Find(db, delivery, now, ct);
            var actor = new Actor(ActorKind.Person, target.Person.Value, target.PersonName, new HashSet<Permission> { Permission.HandleAlerts }, from);
            var held = await HeldAlerts.Named(db, [target.Alert], withGroups: true, ct);
            if (held.Find(target.Alert) is not { IsOpen: true } alert) return target with { State = AnswerState.Over };
            IReadOnlyList<Alert> all = [alert, .. held.GroupOf(alert)];
            foreach (var one in all)
                if (resolve) held.Resolve(one, actor, now);
                else held.Acknowledge(one, actor, now);
            (await db.Deliveries.SingleAsync(d => d.Id == delivery, ct)).Confirm(now);
            var what = resolve ? $"Resolved by {actor.Name}" : $"Acknowledged by {actor.Name}";
            await ToldPlaces.Drop(db, [alert], what, now, ct);
            await ToldPlaces.Follow(db, [alert], what, over: resolve, now, ct);
            await db.Commit(new AuditEntry(actor, resolve ? "alert.resolved" : "alert.acknowledged", alert.Id.ToString(), $"{alert.Summary} (by the link in a page)", now), ct);
            await transaction.CommitAsync(ct);
            return target with { State = resolve ? AnswerState.Over : AnswerState.Acknowledged, Holder = resolve ? target.Holder : actor.Name };
        });
    }
}

/// <summary>What a link in a page can still do.</summary>
public enum AnswerState
{
    /// <summary>Nobody has the alert.</summary>
    Open,
    /// <summary>Somebody has it.</summary>
    Acknowledged,
    /// <summary>It is resolved.</summary>
    Over,
    /// <summary>The link is older than it holds.</summary>
    Expired,
}

/// <summary>The alert and the person of a link in a page.</summary>
public sealed class AnswerTarget(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Holder">Who has it; null while nobody does.</param>
    public sealed record View(AnswerState State, AlertId Alert, PersonId Person, string PersonName, string Service, Domain.Incidents.Severity Severity, string Summary, string Source, DateTimeOffset BeganAt, int GroupCount, bool IsTest, string? Holder, DateTimeOffset? ResolvedAt);

    /// <returns>Null where the link leads nowhere: no such delivery, none of a person, or one who is deactivated.</returns>
    public async Task<View?> Load(DeliveryId? delivery, CancellationToken ct)
    {
        if (delivery is not { } id) return null;
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await Find(db, id, clock.GetUtcNow(), ct);
    }

    internal static async Task<View?> Find(PortalDbContext db, DeliveryId delivery, DateTimeOffset now, CancellationToken ct)
    {
        var found = await (from d in db.Deliveries
                           join a in db.Alerts on d.AlertId equals a.Id
                           join p in db.People on d.PersonId equals p.Id
                           join s in db.Services on a.ServiceId equals s.Id
                           where d.Id == delivery && p.DeactivatedAt == null && d.Purpose == DeliveryPurpose.Page
                           select new { d.CreatedAt, d.DueAt, Alert = a, p.Id, p.Name, Service = s.Name }).AsNoTracking().SingleOrDefaultAsync(ct);
        if (found is null) return null;
        var sent = found.DueAt > found.CreatedAt ? found.DueAt : found.CreatedAt;
        var state = found.Alert.State == AlertState.Resolved ? AnswerState.Over : now - sent > Infrastructure.Notifications.AnswerLinks.Lifetime ? AnswerState.Expired
            : found.Alert.State == AlertState.Acknowledged ? AnswerState.Acknowledged : AnswerState.Open;
        return new(state, found.Alert.Id, found.Id, found.Name, found.Service, found.Alert.Severity, found.Alert.Summary, found.Alert.Source, found.Alert.BeganAt, found.Alert.GroupCount, found.Alert.IsTest, found.Alert.AcknowledgedBy, found.Alert.ResolvedAt);
    }
}
