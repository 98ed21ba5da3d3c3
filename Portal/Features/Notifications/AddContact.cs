using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Notifications;

/// <summary>A person adds a way to page them; a code is on its way there with the same save.</summary>
public sealed class AddContact(IDbContextFactory<PortalDbContext> contexts, ChannelBook book, TimeProvider clock)
{
    public sealed record Request(ChannelKind Kind, ChannelId? Channel, string? Address, int AfterMinutes);

    public async Task<ContactId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var (person, now) = (actor.OwnAccount(), clock.GetUtcNow());
        var field = book.Of(request.Kind).Contact ?? throw new DomainException($"{ChannelWords.Of(request.Kind)} reaches a place that many read, and not a person.", "kind");
        var address = field.Clean(request.Address ?? "");
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (field.NeedsChannel && !await db.Channels.AnyAsync(c => c.Id == request.Channel && c.Kind == request.Kind && c.DisabledAt == null, ct)) throw new DomainException($"Choose the account by which {ChannelWords.Of(request.Kind)} goes out.", "channel");
        var own = await db.Contacts.AsNoTracking().Where(c => c.PersonId == person).Select(c => new { c.Kind, c.Address }).ToListAsync(ct);
        if (own.Count >= Contact.MostOfAPerson) throw new DomainException($"You have {Contact.MostOfAPerson} ways already, as many as there can be.");
        if (own.Any(c => c.Kind == request.Kind && c.Address == address)) throw new DomainException("You are reached there already.", "address");
        var contact = new Contact(person, request.Kind, field.NeedsChannel ? request.Channel : null, address, null, request.AfterMinutes, now);
        db.Contacts.Add(contact);
        db.Deliveries.Add(ContactCodes.Send(contact, now));
        await db.Commit(new AuditEntry(actor, "contact.added", contact.Id.ToString(), ContactCodes.Words(contact), now), ct);
        return contact.Id;
    }
}

/// <summary>A person has another code sent.</summary>
public sealed class SendContactCode(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ContactId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var contact = await ContactCodes.Own(db, id, actor, ct);
        db.Deliveries.Add(ContactCodes.Send(contact, now));
        await db.Commit(new AuditEntry(actor, "contact.code-sent", id.ToString(), ContactCodes.Words(contact), now), ct);
    }
}

/// <summary>A person brings back the code that was sent there.</summary>
public sealed class VerifyContact(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <exception cref="DomainException">It is not the code, or no longer; a wrong one counts.</exception>
    public async Task Execute(ContactId id, string? code, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var contact = await ContactCodes.Own(db, id, actor, ct);
        var isRight = contact.Verify(ContactCodes.Hash(id, (code ?? "").Trim()), now);
        await db.Commit(new AuditEntry(actor, isRight ? "contact.verified" : "contact.code-refused", id.ToString(), ContactCodes.Words(contact), now), ct);
        if (!isRight) throw new DomainException("That is not the code that was sent there.", "code");
    }
}

/// <summary>A person says how long after a page a way of theirs is used.</summary>
public sealed class ChangeContact(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ContactId id, int afterMinutes, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var contact = await ContactCodes.Own(db, id, actor, ct);
        contact.Wait(afterMinutes);
        await db.Commit(new AuditEntry(actor, "contact.changed", id.ToString(), ContactCodes.Words(contact), clock.GetUtcNow()), ct);
    }
}

/// <summary>A person is no longer paged there.</summary>
public sealed class RemoveContact(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ContactId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var contact = await ContactCodes.Own(db, id, actor, ct);
        db.Contacts.Remove(contact);
        await db.Commit(new AuditEntry(actor, "contact.removed", id.ToString(), ContactCodes.Words(contact), clock.GetUtcNow()), ct);
    }
}

/// <summary>A person has a labelled page sent to one of their own ways.</summary>
public sealed class SendTestPage(IDbContextFactory<PortalDbContext> contexts, Monitoring.TryBrake brake, TimeProvider clock)
{
    public async Task<DeliveryId> Execute(ContactId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var contact = await ContactCodes.Own(db, id, actor, ct);
        if (!contact.IsVerified) throw new DomainException("Enter its code first: pages go only where one came back.");
        brake.Count(actor);
        var delivery = new Delivery(DeliveryPurpose.Page, ContactCodes.To(contact), string.Create(CultureInfo.InvariantCulture, $"test-page/{id}/{now.UtcTicks:x}"), $"TEST: this is how you are paged, {actor.Name}", "You asked for it. Nothing is wrong.", null, now, now, isTest: true);
        db.Deliveries.Add(delivery);
        await db.Commit(new AuditEntry(actor, "contact.tried", id.ToString(), ContactCodes.Words(contact), now), ct);
        return delivery.Id;
    }
}

/// <summary>What the use cases of a person's own contacts share.</summary>
static class ContactCodes
{
    const int Digits = 6;

    public static async Task<Contact> Own(PortalDbContext db, ContactId id, Actor actor, CancellationToken ct)
    {
        var person = actor.OwnAccount();
        return await db.Contacts.SingleOrDefaultAsync(c => c.Id == id && c.PersonId == person, ct) ?? throw new NotFoundException("contact");
    }

    public static DeliveryAddress To(Contact contact) => new(contact.Kind, contact.ChannelId, contact.PersonId, contact.Id, contact.Address);

    /// <summary>A new code; the message that takes it there forgets it once it is sent.</summary>
    public static Delivery Send(Contact contact, DateTimeOffset now)
    {
        var code = RandomNumberGenerator.GetInt32(1_000_000).ToString($"D{Digits}", CultureInfo.InvariantCulture);
        contact.SendCode(Hash(contact.Id, code), now);
        return new(DeliveryPurpose.Code, To(contact), string.Create(CultureInfo.InvariantCulture, $"code/{contact.Id}/{now.UtcTicks:x}"), "Your code for being paged", $"{code} is your code. It is good for {Contact.CodeLifetime.TotalMinutes:0} minutes. If you did not ask for it, ignore it.", null, now, now);
    }

    public static byte[] Hash(ContactId contact, string code) => SHA256.HashData(Encoding.UTF8.GetBytes($"{contact}/{code}"));

    /// <summary>The audit log is read by others.</summary>
    public static string Words(Contact contact) => $"{ChannelWords.Of(contact.Kind)} {ChannelWords.Hint(contact.Kind, contact.Address)}";
}
