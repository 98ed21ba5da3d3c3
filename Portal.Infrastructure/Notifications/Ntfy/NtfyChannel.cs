using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Notifications.Ntfy;

/// <summary>A topic of an ntfy server.</summary>
public sealed class NtfyChannel(ChannelHttp http) : INotificationChannel
{
    const string Server = "server", Topic = "topic", Token = "token", DefaultServer = "https://ntfy.sh";

    public ChannelKind Kind => ChannelKind.Ntfy;

    public IReadOnlyList<ChannelField> Fields { get; } =
    [
        ChannelRules.Url(Server, "Server", "Where the topics are.", byDefault: DefaultServer),
        new(Topic, "Topic", "Where the channel itself is told, and not a person by a topic of their own.", v => TopicName(v, Topic), IsRequired: false),
        ChannelRules.Word(Token, "Access token", "Where the server asks for one.", isSecret: true, isRequired: false),
    ];

    public ContactField? Contact { get; } = new("Topic", "Long and not to be guessed: whoever knows it reads along.", NeedsChannel: true, v => TopicName(v, "address"));

    public Uri? Place(ChannelSettings settings) => new(settings[Server] ?? DefaultServer);

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        if ((settings.Address ?? settings[Topic]) is not { } topic) return Task.FromResult<SendOutcome>(new SendOutcome.Permanent("This channel has no topic of its own: it reaches people at theirs."));
        var body = new JsonObject { ["topic"] = topic, ["title"] = message.Title, ["message"] = Message.Cut(message.Body.Length > 0 ? message.Body : message.Title, 3_500), ["priority"] = Priority(message) };
        if (message.FirstUrl is { } url)
        {
            body["click"] = url;
            body["actions"] = new JsonArray(new JsonObject { ["action"] = "view", ["label"] = message.AnswerUrl is null ? "Open" : "Answer", ["url"] = url });
        }
        var request = new HttpRequestMessage(HttpMethod.Post, Place(settings)) { Content = ChannelHttp.Json(body) };
        if (settings[Token] is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http.Send(request, settings, static (code, answer) => code == 200 ? new SendOutcome.Taken(answer.Text("id")) : null, ct);
    }

    static int Priority(Message message) => message.Purpose != DeliveryPurpose.Page ? 3 : message.Severity switch
    {
        Severity.P0 => 5,
        Severity.P1 => 4,
        Severity.P3 => 2,
        _ => 3,
    };

    static string TopicName(string value, string field) => value.Trim() is { Length: >= 1 and <= 64 } text && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? text
        : throw new DomainException("A topic has 1 to 64 letters, digits, - and _.", field);
}
