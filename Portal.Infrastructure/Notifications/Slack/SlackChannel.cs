using System.Text.Json.Nodes;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Slack;

/// <summary>A channel of Slack by an incoming webhook; with the app's signing secret a button in the message acknowledges.</summary>
public sealed class SlackChannel(ChannelHttp http) : INotificationChannel
{
    public const string WebhookUrl = "webhookUrl", SigningSecret = "signingSecret", AcknowledgeAction = "acknowledge";

    public ChannelKind Kind => ChannelKind.Slack;

    public IReadOnlyList<ChannelField> Fields { get; } =
    [
        ChannelRules.Url(WebhookUrl, "Webhook address", "From the app's page \"Incoming Webhooks\": https://hooks.slack.com/services/…", isSecret: true),
        ChannelRules.Word(SigningSecret, "Signing secret", "From the app's page \"Basic Information\". With it the message has a button that acknowledges; set the app's interactivity address to the one that is shown here.", isSecret: true, isRequired: false),
    ];

    public ContactField? Contact => null;

    public Uri? Place(ChannelSettings settings) => settings[WebhookUrl] is { } url ? new Uri(url) : null;

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        var blocks = new JsonArray(Block("header", "plain_text", Message.Cut(message.Title, 150)));
        if (message.Body.Length > 0) blocks.Add((JsonNode)Block("section", "mrkdwn", Escape(Message.Cut(message.Body, 2_500))));
        var buttons = new JsonArray();
        if (message.AnswerToken is { } token && settings[SigningSecret] is not null)
            buttons.Add((JsonNode)new JsonObject { ["type"] = "button", ["action_id"] = AcknowledgeAction, ["style"] = "primary", ["text"] = Text("plain_text", "Acknowledge"), ["value"] = token });
        if (message.FirstUrl is { } url) buttons.Add((JsonNode)new JsonObject { ["type"] = "button", ["action_id"] = "open", ["text"] = Text("plain_text", "Open"), ["url"] = url });
        if (buttons.Count > 0) blocks.Add((JsonNode)new JsonObject { ["type"] = "actions", ["elements"] = buttons });
        return http.Post(settings[WebhookUrl]!, new JsonObject { ["text"] = Escape(message.Title), ["blocks"] = blocks }, settings, null, ct);
    }

    static JsonObject Block(string type, string format, string text) => new() { ["type"] = type, ["text"] = Text(format, text) };

    static JsonObject Text(string format, string text) => new() { ["type"] = format, ["text"] = text };

    static string Escape(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
