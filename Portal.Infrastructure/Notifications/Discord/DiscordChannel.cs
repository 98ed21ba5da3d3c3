using System.Text.Json.Nodes;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Discord;

/// <summary>A channel of Discord by its webhook.</summary>
public sealed class DiscordChannel(ChannelHttp http) : INotificationChannel
{
    const string WebhookUrl = "webhookUrl";

    public ChannelKind Kind => ChannelKind.Discord;

    public IReadOnlyList<ChannelField> Fields { get; } =
        [ChannelRules.Url(WebhookUrl, "Webhook address", "From the channel's settings, \"Integrations\": https://discord.com/api/webhooks/…", isSecret: true)];

    public ContactField? Contact => null;

    public Uri? Place(ChannelSettings settings) => settings[WebhookUrl] is { } url ? new Uri(url) : null;

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        var embed = new JsonObject { ["title"] = Message.Cut(message.Title, 256), ["description"] = Message.Cut(message.Body, 4_000), ["color"] = message.Severity is Severity.P0 or Severity.P1 ? 0xC62828 : 0xEF6C00 };
        if (message.FirstUrl is { } url) embed["url"] = url;
        // Nobody is called by what a source wrote into an alert.
        var body = new JsonObject { ["embeds"] = new JsonArray(embed), ["allowed_mentions"] = new JsonObject { ["parse"] = new JsonArray() } };
        return http.Post($"{settings[WebhookUrl]}?wait=true", body, settings, Read, ct);
    }

    static SendOutcome? Read(int code, JsonNode? answer) => code switch
    {
        200 => new SendOutcome.Taken(answer.Text("id")),
        429 => new SendOutcome.Transient(answer.Text("message") ?? "", answer.Seconds("retry_after")),
        _ => null,
    };
}
