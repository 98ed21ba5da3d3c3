using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Webhook;

/// <summary>A program of somebody's own: JSON, signed, with an idempotency key.</summary>
public sealed class WebhookChannel(ChannelHttp http) : INotificationChannel
{
    public const string SignatureHeader = "Portal-Signature", KeyHeader = "Idempotency-Key";
    const string Url = "url", Secret = "secret";

    public ChannelKind Kind => ChannelKind.Webhook;

    public IReadOnlyList<ChannelField> Fields { get; } =
    [
        ChannelRules.Url(Url, "Address", "Gets a POST with JSON; anything from 200 to 299 is a receipt. Sealed, since such addresses often hold a key.", isSecret: true),
        ChannelRules.Word(Secret, "Signing secret", "The header Portal-Signature is t=TIME,v1=HMAC-SHA256(secret, \"TIME.body\") in hexadecimal.", isSecret: true),
    ];

    public ContactField? Contact => null;

    public Uri? Place(ChannelSettings settings) => settings[Url] is { } url ? new Uri(url) : null;

    public Task<SendOutcome> Send(Message message, ChannelSettings settings, CancellationToken ct)
    {
        var body = new JsonObject
        {
            ["id"] = message.Id.ToString(),
            ["purpose"] = char.ToLowerInvariant(message.Purpose.ToString()[0]) + message.Purpose.ToString()[1..],
            ["alert"] = message.Alert?.ToString(),
            ["state"] = message.State?.ToString().ToLowerInvariant(),
            ["severity"] = message.Severity?.ToString(),
            ["test"] = message.IsTest,
            ["title"] = message.Title,
            ["body"] = message.Body,
            ["url"] = message.Url,
            ["at"] = message.At.UtcDateTime,
        };
        var content = ChannelHttp.Json(body);
        var time = http.Now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var request = new HttpRequestMessage(HttpMethod.Post, settings[Url]) { Content = content };
        request.Headers.TryAddWithoutValidation(SignatureHeader, $"t={time},v1={Sign(settings[Secret]!, time, body.ToJsonString())}");
        request.Headers.TryAddWithoutValidation(KeyHeader, message.Id.ToString());
        return http.Send(request, settings, null, ct);
    }

    public static string Sign(string secret, string time, string body) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{time}.{body}")));
}
