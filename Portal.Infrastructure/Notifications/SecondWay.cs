using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Notifications;

/// <summary>Where a page to a person goes that did not reach them: to their next verified contact at once, and when there is none left to the address that they sign in with.</summary>
static class SecondWay
{
    /// <returns>In words, for the timeline.</returns>
    public static async Task<string> Find(PortalDbContext db, Delivery failed, AlertId alert, PersonId person, DateTimeOffset dueAt, DateTimeOffset now, CancellationToken ct)
    {
        // What this step has for them already, whichever way began it.
        var known = await db.Deliveries.AsNoTracking().Where(d => d.AlertId == alert && d.PersonId == person && d.Step == failed.Step && d.Purpose == DeliveryPurpose.Page && d.Id != failed.Id).ToListAsync(ct);
        var contacts = await db.Contacts.AsNoTracking().Where(c => c.PersonId == person && c.VerifiedAt != null && (c.ChannelId == null || db.Channels.Any(ch => ch.Id == c.ChannelId && ch.DisabledAt == null)))
            .OrderBy(c => c.AfterMinutes).ThenBy(c => c.CreatedAt).ToListAsync(ct);
        foreach (var contact in contacts.Where(c => c.Id != failed.ContactId))
        {
            var own = known.FirstOrDefault(d => d.ContactId == contact.Id);
            if (own is { State: not DeliveryState.Waiting }) continue;
            var words = $"{ChannelWords.Of(contact.Kind)} ({ChannelWords.Hint(contact.Kind, contact.Address)})";
            // It would have come later by itself.
            if (own is not null) return await Forward(db, own, failed, dueAt, ct) ? $"Next way, sooner than planned: {words}." : $"{words} is under way already.";
            Add(db, failed, new(contact.Kind, contact.ChannelId, person, contact.Id, contact.Address), contact.Id.ToString(), dueAt, now);
            return $"Next way: {words}.";
        }
        if (known.FirstOrDefault(d => d.State is DeliveryState.Sent or DeliveryState.Delivered) is { } came) return $"{ChannelWords.Of(came.Kind)} was sent before.";
        var email = await db.People.Where(p => p.Id == person && p.DeactivatedAt == null).Select(p => p.Email).SingleOrDefaultAsync(ct);
        if (email is null || failed.Kind == ChannelKind.Email && failed.Address == email || known.Any(d => d.Kind == ChannelKind.Email && d.Address == email)) return "There is no other way.";
        Add(db, failed, new(ChannelKind.Email, null, person, null, email), "mail", dueAt, now);
        return "Next way: the mail address that they sign in with.";
    }

    static async Task<bool> Forward(PortalDbContext db, Delivery own, Delivery failed, DateTimeOffset dueAt, CancellationToken ct) =>
        await db.Database.ExecuteSqlAsync($"update deliveries set due_at = {dueAt}, instead_of = {failed.Id.Value} where id = {own.Id.Value} and state = 'Waiting' and claimed_by is null and due_at > {dueAt} and due_at < 'infinity'", ct) > 0;

    static void Add(PortalDbContext db, Delivery failed, DeliveryAddress to, string name, DateTimeOffset dueAt, DateTimeOffset now) =>
        db.Deliveries.Add(new Delivery(failed.Purpose, to, $"second/{failed.AlertId}/{failed.Step}/{failed.PersonId}/{name}", failed.Title, failed.Body, failed.AlertId, dueAt, now, failed.Step, failed.IsTest, failed.Id));
}
