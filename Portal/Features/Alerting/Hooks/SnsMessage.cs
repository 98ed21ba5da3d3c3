using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;

namespace Portal.Features.Alerting.Hooks;

/// <summary>A message of Amazon SNS, by which CloudWatch speaks; it counts only once its signature is checked.</summary>
/// <remarks>How it is signed: "Verifying the signatures of Amazon SNS messages" in its developer guide; version 1 is SHA-1, version 2 SHA-256, both RSA with PKCS #1 v1.5.</remarks>
sealed partial record SnsMessage(string Type, string MessageId, string TopicArn, string Message, DateTimeOffset Timestamp, string Version, byte[] Signature, Uri Certificate, Uri? Subscribe, string Signed)
{
    /// <summary>Older ones are somebody's copy: SNS gives up after an hour unless it was told otherwise.</summary>
    public static readonly TimeSpan Oldest = TimeSpan.FromHours(1);

    /// <exception cref="DomainException">Something is missing or leads elsewhere than to Amazon.</exception>
    public static SnsMessage Read(JsonElement body)
    {
        string Required(string name) => body.Text(name) ?? throw new DomainException($"{name} is missing.", name);
        var type = Required("Type");
        var isNotification = type == "Notification";
        if (!isNotification && type is not ("SubscriptionConfirmation" or "UnsubscribeConfirmation")) throw new DomainException("The Type is Notification, SubscriptionConfirmation or UnsubscribeConfirmation.", "Type");
        string[] names = isNotification ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
        // What has no value is left out of what is signed; whatever is there counts as it is, also blanks.
        var signed = string.Concat(names.Select(n => (Name: n, Value: body.TryGetProperty(n, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString() : null)).Where(n => n.Value is not null).Select(n => $"{n.Name}\n{n.Value}\n"));
        if (body.Text("SignatureVersion") is not ("1" or "2")) throw new DomainException("The SignatureVersion is 1 or 2.", "SignatureVersion");
        var signature = new byte[1_024];
        if (!Convert.TryFromBase64String(Required("Signature"), signature, out var length)) throw new DomainException("The Signature is not in base64.", "Signature");
        return new(type, Required("MessageId"), Required("TopicArn"), body.Text("Message") ?? "", body.Time("Timestamp") ?? throw new DomainException("The Timestamp is missing.", "Timestamp"), body.Text("SignatureVersion")!,
            signature[..length], Amazon(Required("SigningCertURL"), "SigningCertURL", mustBePem: true), isNotification ? null : Amazon(Required("SubscribeURL"), "SubscribeURL", mustBePem: false), signed);
    }

    public bool IsSignedBy(X509Certificate2 certificate)
    {
        using var key = certificate.GetRSAPublicKey();
        return key?.VerifyData(Encoding.UTF8.GetBytes(Signed), Signature, Version == "1" ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) == true;
    }

    /// <summary>An alarm of CloudWatch; anything else that is sent to the topic is a trigger of its own.</summary>
    public IReadOnlyList<AlertSignal> Signals(Severity otherwise)
    {
        if (Alarm() is not { } alarm) return [new(SignalAction.Trigger, $"sns:{MessageId}", otherwise, Message.Length > 0 ? Message : "An empty message", TopicArn, new([new("topic", TopicArn)]), By: "Amazon SNS")];
        using (alarm)
        {
            var root = alarm.RootElement;
            var (name, state) = (root.Text("AlarmName")!, root.Text("NewStateValue"));
            var labels = new[] { ("region", root.Text("Region")), ("account", root.Text("AWSAccountId")), ("alarm", name) }.Where(l => l.Item2 is not null).Select(l => new AlertLabel(l.Item1, l.Item2!));
            AlertSignal Signal(SignalAction action, Severity severity, string summary) => new(action, $"cloudwatch:{root.Text("AlarmArn") ?? name}", severity, summary, root.Text("AlarmArn") ?? TopicArn, new(labels),
                action == SignalAction.Trigger ? Message : null, At: root.Time("StateChangeTime"), By: "CloudWatch");
            return state switch
            {
                "ALARM" => [Signal(SignalAction.Trigger, otherwise, $"{name}: {root.Text("AlarmDescription") ?? root.Text("NewStateReason") ?? "in alarm"}")],
                "OK" => [Signal(SignalAction.Resolve, otherwise, $"{name} is OK")],
                "INSUFFICIENT_DATA" => [Signal(SignalAction.Trigger, otherwise < Severity.P2 ? Severity.P2 : otherwise, $"{name} has no data")],
                _ => throw new DomainException("The NewStateValue is ALARM, OK or INSUFFICIENT_DATA.", "Message.NewStateValue"),
            };
        }
    }

    JsonDocument? Alarm()
    {
        try
        {
            var document = JsonDocument.Parse(Message);
            if (document.RootElement.Text("AlarmName") is not null) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
            // It is a text.
        }
        return null;
    }

    static Uri Amazon(string text, string field, bool mustBePem) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps && uri.IsDefaultPort && uri.UserInfo.Length == 0 && Host().IsMatch(uri.Host) && (!mustBePem || uri.AbsolutePath.EndsWith(".pem", StringComparison.Ordinal))
            ? uri : throw new DomainException($"The {field} does not lead to Amazon SNS.", field);

    [GeneratedRegex(@"^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Host();
}
