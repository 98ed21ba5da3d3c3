using System.Text.Json.Nodes;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.PagerDuty;

/// <summary>A service of PagerDuty, or of whatever speaks its Events API v2. The alert's id is the dedup key: what comes twice is one there.</summary>
public sealed class PagerDutyChannel(ChannelHttp http) : INotificationChannel
{
    const string RoutingKey = "routingKey", BaseUrl = "baseUrl";

    public ChannelKind Kind => ChannelKind.PagerDuty;

    public IReadOnlyList<ChannelField> Fields { get; } =
    [
        ChannelRules.Word(RoutingKey, "Integration key", "Of an integration \"Events API V2\" of the service there.", isSecret: true),
        ChannelRules.Url(BaseUrl, "Address", "In the European service region: https://events.eu.pagerduty.com", byDefault: "https://events.pagerduty.com"),
    ];

    public ContactField? Contact => null;

    public Uri? Place(ChannelSettings settings) => new(settings[BaseUrl] ?? "https://events.pagerduty.com");

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["routing_key"] = settings[RoutingKey],
            ["event_action"] = Action(message),
            ["dedup_key"] = (message.Alert?.ToString() ?? message.Id.ToString()),
            ["payload"] = new JsonObject
            {
                ["summary"] = Message.Cut(message.Title, 1_024),
                ["source"] = new Uri(message.PortalUrl).Host,
                ["severity"] = Severity(message.Severity),
                ["timestamp"] = message.At.UtcDateTime.ToString("O", System.Globalization.CultureInfo.InvariantCulture),
                ["custom_details"] = new JsonObject { ["text"] = message.Body },
            },
            ["client"] = "Portal",
        };
        if (message.Url is { } url)
        {
            body["client_url"] = url;
            body["links"] = new JsonArray(new JsonObject { ["href"] = url, ["text"] = "Open in the portal" });
        }
        return http.Post($"{Place(settings)!.ToString().TrimEnd('/')}/v2/enqueue", body, settings, static (code, answer) => code == 202 ? new SendOutcome.Taken(answer.Text("dedup_key")) : null, ct);
    }

    static string Action(Message message) => message.Purpose != DeliveryPurpose.Follow ? "trigger" : message.State switch
    {
        AlertState.Resolved => "resolve",
        AlertState.Acknowledged => "acknowledge",
        _ => "trigger",
    };

    static string Severity(Severity? severity) => severity switch
    {
        Domain.Incidents.Severity.P0 => "critical",
        Domain.Incidents.Severity.P1 => "error",
        Domain.Incidents.Severity.P2 => "warning",
        _ => "info",
    };
}
