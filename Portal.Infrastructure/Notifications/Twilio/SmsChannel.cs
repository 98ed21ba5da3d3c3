using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Twilio;

/// <summary>A text message to a telephone.</summary>
public sealed class SmsChannel(ChannelHttp http) : INotificationChannel
{
    /// <summary>Three parts of a text message: more costs more and is read no better.</summary>
    const int Longest = 459;

    public ChannelKind Kind => ChannelKind.Sms;
    public IReadOnlyList<ChannelField> Fields => TwilioAccount.Fields;
    public ContactField? Contact { get; } = TwilioAccount.Contact("A mobile phone, as in +49 170 1234567.");

    public Uri? Place(ChannelSettings settings) => TwilioAccount.Place(settings);

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct) =>
        TwilioAccount.Post(http, "Messages", new() { ["Body"] = message.Brief(Longest) }, message, settings, ct);
}
