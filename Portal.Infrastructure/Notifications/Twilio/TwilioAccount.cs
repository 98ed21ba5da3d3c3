using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Portal.Domain.Notifications;

namespace Portal.Infrastructure.Notifications.Twilio;

/// <summary>What SMS and calls have in common: an account of Twilio, or of whatever speaks as it does.</summary>
static class TwilioAccount
{
    public const string Sid = "accountSid", Token = "authToken", From = "from", To = "to", BaseUrl = "baseUrl", DefaultUrl = "https://api.twilio.com";

    public static readonly IReadOnlyList<ChannelField> Fields =
    [
        ChannelRules.Word(Sid, "Account SID", "Begins with AC."),
        ChannelRules.Word(Token, "Auth token", "Also what receipts are signed with.", isSecret: true),
        new(From, "Sender", "A number of the account, as in +49 30 1234567.", v => ChannelRules.Number(v, From)),
        new(To, "Number", "Who is reached where the channel itself is told, and not a person by a number of their own.", v => ChannelRules.Number(v, To), IsRequired: false),
        ChannelRules.Url(BaseUrl, "Address", "Of the service, where it is not Twilio itself.", byDefault: DefaultUrl),
    ];

    public static ContactField Contact(string hint) => new("Number", hint, NeedsChannel: true, v => ChannelRules.Number(v, "address"));

    public static Uri Place(ChannelSettings settings) => new(settings[BaseUrl] ?? DefaultUrl);

    public static async Task<SendOutcome> Post(ChannelHttp http, string resource, Dictionary<string, string> form, Message message, ChannelSettings settings, CancellationToken ct)
    {
        if ((settings.Address ?? settings[To]) is not { } to) return new SendOutcome.Permanent("This channel has no number of its own: it reaches people at theirs.");
        (form["To"], form["From"]) = (to, settings[From]!);
        if (settings.Id is { } channel) form["StatusCallback"] = TwilioHooks.Receipt(message.PortalUrl, channel, message.Id);
        var request = new HttpRequestMessage(HttpMethod.Post, $"{Place(settings).ToString().TrimEnd('/')}/2010-04-01/Accounts/{Uri.EscapeDataString(settings[Sid]!)}/{resource}.json") { Content = new FormUrlEncodedContent(form) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{settings[Sid]}:{settings[Token]}")));
        return await http.Send(request, settings, Read, ct);
    }

    static SendOutcome? Read(int code, JsonNode? answer) => code is >= 200 and < 300 ? new SendOutcome.Taken(answer.Text("sid"))
        : code is >= 400 and < 500 and not (408 or 425 or 429) && answer.Text("message") is { } why ? new SendOutcome.Permanent($"{answer.Text("code")} {why}".Trim()) : null;
}

/// <summary>The addresses at which Twilio tells what became of a message, and how it signs that.</summary>
public static class TwilioHooks
{
    /// <summary>The secret that they are signed with.</summary>
    public const string TokenField = TwilioAccount.Token;

    public static string Receipt(string portal, ChannelId channel, DeliveryId delivery) => $"{portal}/api/v1/hooks/twilio/{channel}/{delivery}";

    public static string Keys(string portal, ChannelId channel, DeliveryId delivery) => $"{Receipt(portal, channel, delivery)}/keys";

    /// <summary>HMAC-SHA1 of the address and the sorted fields, as the service defines it.</summary>
    public static string Sign(string token, string url, IEnumerable<KeyValuePair<string, string>> form)
    {
        var text = new StringBuilder(url);
        foreach (var (name, value) in form.OrderBy(f => f.Key, StringComparer.Ordinal)) text.Append(name).Append(value);
#pragma warning disable CA5350 // The service knows no other one.
        return Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(text.ToString())));
#pragma warning restore CA5350
    }

    public static bool IsValid(string token, string url, IEnumerable<KeyValuePair<string, string>> form, string? signature) =>
        signature is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Sign(token, url, form)), Encoding.UTF8.GetBytes(signature));
}
