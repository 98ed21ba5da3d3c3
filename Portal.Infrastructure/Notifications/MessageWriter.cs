using Microsoft.EntityFrameworkCore;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Notifications;

/// <summary>Makes the message of a delivery: labelled if it is a test, with the link that answers for its reader, and one for all where several go together.</summary>
/// <param name="address">The portal's public address, without a slash at the end.</param>
public sealed class MessageWriter(AnswerLinks links, ChannelBook book, Func<string> address)
{
    public const string TestLabel = "TEST: ";
    const int MostListed = 10;

    /// <summary>A message, the kind that sends it, and by which settings.</summary>
    public sealed record Letter(Message Message, INotificationChannel Kind, ChannelSettings Settings);

    /// <exception cref="Domain.Shared.DomainException">There is no such kind.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">Its secrets were sealed by another key.</exception>
    public async Task<Letter> Write(PortalDbContext db, DeliveryClaim claim, CancellationToken ct)
    {
        var ids = claim.All.ToList();
        var rows = await db.Deliveries.AsNoTracking().Where(d => ids.Contains(d.Id)).OrderBy(d => d.CreatedAt).ToListAsync(ct);
        var lead = rows.Single(d => d.Id == claim.Lead);
        var alert = await db.Alerts.AsNoTracking().Where(a => a.Id == lead.AlertId).Select(a => new { a.State, a.Severity }).SingleOrDefaultAsync(ct);
        var channel = await db.Channels.AsNoTracking().SingleOrDefaultAsync(c => c.Id == lead.ChannelId, ct);
        var contact = await db.Contacts.AsNoTracking().SingleOrDefaultAsync(c => c.Id == lead.ContactId, ct);
        var portal = address();
        var message = new Message(lead.Id, lead.Purpose, Title(lead), lead.Body, portal, lead.CreatedAt) { Alert = lead.AlertId, State = alert?.State, Severity = alert?.Severity, IsTest = lead.IsTest };
        if (lead.AlertId is not null) message = rows.Count > 1 ? Bundle(message, rows, portal) : WithLinks(message, lead, portal);
        // A contact may have got another address since.
        var to = contact?.Address ?? (channel is null || lead.PersonId is not null ? lead.Address : null);
        return new(message, book.Of(lead.Kind), channel is not null ? book.Settings(channel, to) : ChannelSettings.Without(lead.Address, contact is null ? null : book.Open(contact)));
    }

    Message WithLinks(Message message, Delivery lead, string portal)
    {
        var path = lead.Purpose == DeliveryPurpose.Page ? links.PathFor(lead.Id) : null;
        return message with
        {
            Url = $"{portal}/ops/alerts/{lead.AlertId}",
            AnswerToken = path?[(path.LastIndexOf('/') + 1)..],
            // A place that many read gets no link that answers in somebody's name.
            AnswerUrl = path is not null && lead.PersonId is not null ? portal + path : null,
        };
    }

    static Message Bundle(Message message, List<Delivery> rows, string portal)
    {
        var listed = rows.Take(MostListed).Select(d => $"- {Title(d)}");
        var more = rows.Count > MostListed ? $"\nand {rows.Count - MostListed} more" : "";
        return message with { Title = $"{rows.Count} messages: {message.Title}", Body = $"So many came at once that they are one message:\n{string.Join('\n', listed)}{more}", Url = $"{portal}/ops/alerts", Alert = message.Alert };
    }

    static string Title(Delivery delivery) => delivery.IsTest && !delivery.Title.StartsWith(TestLabel, StringComparison.Ordinal) ? TestLabel + delivery.Title : delivery.Title;
}
