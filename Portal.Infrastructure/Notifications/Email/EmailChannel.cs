using Portal.Domain.Access;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Email;

/// <summary>A mail by the configured server, or into the outbox where there is none; a channel of this kind is a list that has an address.</summary>
public sealed class EmailChannel(MailDelivery delivery) : INotificationChannel
{
    const string To = "to";

    public ChannelKind Kind => ChannelKind.Email;

    public IReadOnlyList<ChannelField> Fields { get; } = [new(To, "Address", "Of a mailing list or a shared mailbox.", Person.ValidEmail)];

    public ContactField? Contact { get; } = new("Mail address", "Not read by the same device as your other ways, if you can.", NeedsChannel: false, Person.ValidEmail);

    public Uri? Place(ChannelSettings settings) => null;

    public async Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        if ((settings.Address ?? settings[To]) is not { } to) return new SendOutcome.Permanent("There is no address to write to.");
        var body = message is { AnswerUrl: not null, Url: { } url } ? $"{message.Body.TrimEnd()}\n\nThe alert: {url}\n\nAnswer it here, without signing in:" : message.Body;
        return await delivery.Send(new OutgoingMail(message.Id.Value, to, message.Title, body, message.FirstUrl), ct) switch
        {
            MailRefused refused => new SendOutcome.Permanent(settings.Shown(refused.Why)),
            MailNotNow later => new SendOutcome.Transient(settings.Shown(later.Why)),
            _ => new SendOutcome.Taken(),
        };
    }
}
