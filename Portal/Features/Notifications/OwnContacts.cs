using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>A person's own ways to be paged in their order, and by which accounts there can be more.</summary>
public sealed class OwnContacts(IDbContextFactory<PortalDbContext> contexts, ChannelBook book)
{
    /// <param name="Channel">Null for what needs no account.</param>
    public sealed record Choice(ChannelKind Kind, ChannelId? Channel, string Name, ContactField Field);

    public sealed record View(IReadOnlyList<Contact> Contacts, IReadOnlyList<Choice> Choices, string SignInMail);

    public async Task<View> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var person = actor.OwnAccount();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var contacts = await db.Contacts.AsNoTracking().Where(c => c.PersonId == person).OrderBy(c => c.AfterMinutes).ThenBy(c => c.CreatedAt).ToListAsync(ct);
        var accounts = await db.Channels.AsNoTracking().Where(c => c.DisabledAt == null).OrderBy(c => c.Name).Select(c => new { c.Id, c.Kind, c.Name }).ToListAsync(ct);
        var personal = book.Kinds.Where(k => k.Contact is not null).ToList();
        var choices = personal.Where(k => !k.Contact!.NeedsChannel).Select(k => new Choice(k.Kind, null, ChannelWords.Of(k.Kind), k.Contact!))
            .Concat(from a in accounts join k in personal on a.Kind equals k.Kind where k.Contact!.NeedsChannel select new Choice(a.Kind, a.Id, $"{ChannelWords.Of(a.Kind)} by {a.Name}", k.Contact!));
        return new(contacts, [.. choices], await db.People.Where(p => p.Id == person).Select(p => p.Email).SingleAsync(ct));
    }
}

/// <summary>How everybody can be reached, for whoever sees to it that somebody can: kinds and last digits, not addresses.</summary>
public sealed class ReachOfPeople(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Ways">Verified ones.</param>
    public sealed record Row(PersonId Person, string Name, IReadOnlyList<string> Ways, int Unverified)
    {
        public bool IsWarning => Ways.Count == 0;
    }

    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageChannels);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var people = await db.People.AsNoTracking().Where(p => p.DeactivatedAt == null).OrderBy(p => p.Name).Select(p => new { p.Id, p.Name }).ToListAsync(ct);
        var contacts = (await db.Contacts.AsNoTracking().OrderBy(c => c.AfterMinutes).Select(c => new { c.PersonId, c.Kind, c.Address, c.VerifiedAt }).ToListAsync(ct)).ToLookup(c => c.PersonId);
        return [.. people.Select(p => new Row(p.Id, p.Name, [.. contacts[p.Id].Where(c => c.VerifiedAt is not null).Select(c => $"{ChannelWords.Of(c.Kind)} {ChannelWords.Hint(c.Kind, c.Address)}")], contacts[p.Id].Count(c => c.VerifiedAt is null)))];
    }
}

/// <summary>What was to be told of an alert, the newest first, with everything that became of it.</summary>
public sealed class DeliveryList(IDbContextFactory<PortalDbContext> contexts)
{
    public sealed record Row(Delivery Delivery, IReadOnlyList<DeliveryEvent> Events)
    {
        /// <summary>Nobody's own address is shown whole.</summary>
        public string Address => Delivery.PersonId is null ? Delivery.Address : ChannelWords.Hint(Delivery.Kind, Delivery.Address);
    }

    public async Task<IReadOnlyList<Row>> Load(Domain.Alerting.AlertId alert, DeliveryId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var deliveries = db.Deliveries.AsNoTracking().Where(d => d.AlertId == alert);
        if (after is { } last)
        {
            var at = await db.Deliveries.Where(d => d.Id == last && d.AlertId == alert).Select(d => (DateTimeOffset?)d.CreatedAt).SingleOrDefaultAsync(ct) ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            deliveries = db.Deliveries.FromSql($"select * from deliveries where alert_id = {alert.Value} and (created_at, id) < ({at}, {last.Value})").AsNoTracking();
        }
        var rows = await deliveries.OrderByDescending(d => d.CreatedAt).ThenByDescending(d => d.Id).Take(take).ToListAsync(ct);
        var ids = rows.Select(d => d.Id).ToList();
        var events = (await db.DeliveryEvents.AsNoTracking().Where(e => ids.Contains(e.DeliveryId)).OrderBy(e => e.At).ToListAsync(ct)).ToLookup(e => e.DeliveryId);
        return [.. rows.Select(d => new Row(d, [.. events[d.Id]]))];
    }
}
