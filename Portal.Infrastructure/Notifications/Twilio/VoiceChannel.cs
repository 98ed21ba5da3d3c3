using System.Security;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Twilio;

/// <summary>A call that reads the message out; the key 1 acknowledges.</summary>
public sealed class VoiceChannel(ChannelHttp http) : INotificationChannel
{
    const int LongestSpoken = 600;

    public ChannelKind Kind => ChannelKind.Voice;
    public IReadOnlyList<ChannelField> Fields => TwilioAccount.Fields;
    public ContactField? Contact { get; } = TwilioAccount.Contact("Any telephone, as in +49 30 1234567.");

    public Uri? Place(ChannelSettings settings) => TwilioAccount.Place(settings);

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct) =>
        TwilioAccount.Post(http, "Calls", new() { ["Twiml"] = Spoken(message, settings) }, message, settings, ct);

    static string Spoken(Message message, ChannelSettings settings)
    {
        var words = Say(Message.Cut(message.Body.Length > 0 ? $"{message.Title}. {message.Body}" : message.Title, LongestSpoken));
        if (message.AnswerToken is null || settings.Id is not { } channel) return $"<Response>{words}{words}</Response>";
        var keys = SecurityElement.Escape(TwilioHooks.Keys(message.PortalUrl, channel, message.Id));
        // Twice: who is woken by it hears the second one.
        return $"<Response><Gather numDigits=\"1\" timeout=\"10\" action=\"{keys}\">{words}{Say("Press 1 to acknowledge.")}{words}{Say("Press 1 to acknowledge.")}</Gather>{Say("No key was pressed. Good bye.")}</Response>";
    }

    public static string Say(string text) => $"<Say>{SecurityElement.Escape(text)}</Say>";
}
