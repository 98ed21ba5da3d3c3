using System.Text.Json.Nodes;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Notifications.Telegram;

/// <summary>A bot of Telegram that writes to a person or a group.</summary>
public sealed class TelegramChannel(ChannelHttp http) : INotificationChannel
{
    const string Bot = "botToken", Chat = "chat", BaseUrl = "baseUrl", DefaultUrl = "https://api.telegram.org";

    public ChannelKind Kind => ChannelKind.Telegram;

    public IReadOnlyList<ChannelField> Fields { get; } =
    [
        ChannelRules.Word(Bot, "Bot token", "From @BotFather, as in 123456:ABC-DEF….", isSecret: true),
        new(Chat, "Chat", "Where the channel itself is told: the number of a group, or @name.", v => ChatName(v, Chat), IsRequired: false),
        ChannelRules.Url(BaseUrl, "Address", "Of a Bot API server of your own.", byDefault: DefaultUrl),
    ];

    public ContactField? Contact { get; } = new("Chat number", "Write to the bot first; @userinfobot tells your number.", NeedsChannel: true, v => ChatName(v, "address"));

    public Uri? Place(ChannelSettings settings) => new(settings[BaseUrl] ?? DefaultUrl);

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        if ((settings.Address ?? settings[Chat]) is not { } chat) return Task.FromResult<SendOutcome>(new SendOutcome.Permanent("This channel has no chat of its own: it reaches people at theirs."));
        var text = message.Body.Length > 0 ? $"{message.Title}\n\n{message.Body}" : message.Title;
        var body = new JsonObject { ["chat_id"] = chat, ["text"] = Message.Cut(text, 4_000), ["link_preview_options"] = new JsonObject { ["is_disabled"] = true } };
        // Buttons take no address without a host that the world knows: it stands in the text as well.
        if (message.FirstUrl is { } url) body["text"] = $"{Message.Cut(text, 3_500)}\n\n{url}";
        return http.Post($"{Place(settings)!.ToString().TrimEnd('/')}/bot{settings[Bot]}/sendMessage", body, settings, Read, ct);
    }

    static SendOutcome? Read(int code, JsonNode? answer) => code switch
    {
        200 => new SendOutcome.Taken(answer.Text("result", "message_id")),
        429 => new SendOutcome.Transient(answer.Text("description") ?? "", answer.Seconds("parameters", "retry_after")),
        400 or 401 or 403 or 404 when answer.Text("description") is { } why => new SendOutcome.Permanent(why),
        _ => null,
    };

    static string ChatName(string value, string field) => value.Trim() is { Length: >= 2 and <= 64 } text && (text[0] == '@' ? text.Skip(1).All(c => char.IsAsciiLetterOrDigit(c) || c == '_') : text.TrimStart('-') is { Length: > 0 } digits && digits.All(char.IsAsciiDigit)) ? text
        : throw new DomainException("A chat is a number, as in 123456789 or -1001234567890, or @name.", field);
}
