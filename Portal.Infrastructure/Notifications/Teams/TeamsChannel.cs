using System.Text.Json.Nodes;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Teams;

/// <summary>A channel of Teams by the address of a workflow that posts an adaptive card.</summary>
public sealed class TeamsChannel(ChannelHttp http) : INotificationChannel
{
    const string WebhookUrl = "webhookUrl";

    public ChannelKind Kind => ChannelKind.Teams;

    public IReadOnlyList<ChannelField> Fields { get; } =
        [ChannelRules.Url(WebhookUrl, "Workflow address", "From the workflow \"Post to a channel when a webhook request is received\".", isSecret: true)];

    public ContactField? Contact => null;

    public Uri? Place(ChannelSettings settings) => settings[WebhookUrl] is { } url ? new Uri(url) : null;

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        var card = new JsonObject
        {
            ["$schema"] = "http://adaptivecards.io/schemas/adaptive-card.json",
            ["type"] = "AdaptiveCard",
            ["version"] = "1.4",
            ["body"] = new JsonArray(Text(message.Title, isTitle: true), Text(Message.Cut(message.Body, 4_000), isTitle: false)),
        };
        if (message.FirstUrl is { } url) card["actions"] = new JsonArray(new JsonObject { ["type"] = "Action.OpenUrl", ["title"] = "Open", ["url"] = url });
        var attachment = new JsonObject { ["contentType"] = "application/vnd.microsoft.card.adaptive", ["contentUrl"] = null, ["content"] = card };
        return http.Post(settings[WebhookUrl]!, new JsonObject { ["type"] = "message", ["attachments"] = new JsonArray(attachment) }, settings, null, ct);
    }

    static JsonObject Text(string text, bool isTitle) =>
        new() { ["type"] = "TextBlock", ["text"] = text, ["wrap"] = true, ["size"] = isTitle ? "Large" : "Default", ["weight"] = isTitle ? "Bolder" : "Default" };
}
