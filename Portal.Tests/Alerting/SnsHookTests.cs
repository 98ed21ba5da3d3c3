using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;

namespace Portal.Tests.Alerting;

[Collection(AlertingHosts.Name)]
public sealed class SnsHookTests(AlertingHost host) : IDisposable
{
    const string Topic = "arn:aws:sns:eu-west-1:123456789012:alarms";
    static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    readonly HttpClient client = host.Portal.Client();
    readonly RSA rsa = RSA.Create(2048);
    readonly string certificateUrl = $"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{Guid.NewGuid():N}.pem";

    public void Dispose() => rsa.Dispose();

    void Certify()
    {
        var request = new CertificateRequest("CN=sns.amazonaws.com", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(1));
        host.Amazon[certificateUrl] = certificate.ExportCertificatePem();
    }

    /// <summary>As SNS signs: names and values in the order of the alphabet, each on a line.</summary>
    Dictionary<string, string> Signed(Dictionary<string, string> fields, string version = "2")
    {
        string[] names = fields["Type"] == "Notification" ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"] : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
        var text = string.Concat(names.Where(fields.ContainsKey).Select(n => $"{n}\n{fields[n]}\n"));
        return new(fields) { ["SignatureVersion"] = version, ["SigningCertURL"] = certificateUrl, ["Signature"] = Convert.ToBase64String(rsa.SignData(Encoding.UTF8.GetBytes(text), version == "1" ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)) };
    }

    static Dictionary<string, string> Alarm(string state, DateTimeOffset? at = null, string? id = null) => new()
    {
        ["Type"] = "Notification",
        ["MessageId"] = id ?? Guid.NewGuid().ToString(),
        ["TopicArn"] = Topic,
        ["Subject"] = $"{state}: \"CPU\" in EU (Ireland)",
        ["Timestamp"] = Time(at ?? Now),
        ["Message"] = $$"""{"AlarmName":"CPU","AlarmDescription":"The CPU is hot","AWSAccountId":"123456789012","NewStateValue":"{{state}}","NewStateReason":"Threshold crossed","StateChangeTime":"{{Time(Now)}}","Region":"EU (Ireland)","AlarmArn":"arn:aws:cloudwatch:cpu"}""",
    };

    static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    Task<HttpResponseMessage> Send(string key, Dictionary<string, string> message) =>
        client.PostAsync($"/api/v1/hooks/cloudwatch/{key}", new StringContent(JsonSerializer.Serialize(message), Encoding.UTF8, "text/plain"));

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public async Task A_signed_alarm_is_an_alert_and_its_end_ends_it(string version)
    {
        Certify();
        var (service, key) = await host.Service();
        Assert.Equal(HttpStatusCode.Accepted, (await Send(key, Signed(Alarm("ALARM"), version))).StatusCode);
        var alert = await host.Comes(service, a => a.Key == "cloudwatch:arn:aws:cloudwatch:cpu", "the alarm");
        Assert.Equal(("CPU: The CPU is hot", Severity.P1), (alert.Summary, alert.Severity));
        Assert.Equal(HttpStatusCode.Accepted, (await Send(key, Signed(Alarm("OK"), version))).StatusCode);
        await host.Comes(service, a => a.State == AlertState.Resolved, "its end");
    }

    [Fact]
    public async Task What_is_wrongly_signed_old_or_certified_elsewhere_is_refused()
    {
        Certify();
        var (service, key) = await host.Service();
        var good = Signed(Alarm("ALARM"));
        async Task Refused(Dictionary<string, string> message, HttpStatusCode status = HttpStatusCode.Forbidden) => Assert.Equal(status, (await Send(key, message)).StatusCode);
        await Refused(new(good) { ["Message"] = good["Message"].Replace("hot", "cold", StringComparison.Ordinal) });
        await Refused(new(good) { ["Subject"] = "Another" });
        await Refused(new(good) { ["SignatureVersion"] = "1" });
        await Refused(new(good) { ["Signature"] = Convert.ToBase64String(new byte[256]) });
        await Refused(Signed(Alarm("ALARM", Now.AddHours(-2))));
        await Refused(new(good) { ["SignatureVersion"] = "3" }, HttpStatusCode.UnprocessableEntity);
        foreach (var url in new[] { certificateUrl.Replace("https", "http", StringComparison.Ordinal), "https://sns.eu-west-1.amazonaws.com.example.com/a.pem", "https://example.com/a.pem", "https://sns.eu-west-1.amazonaws.com:8443/a.pem", "https://user@sns.eu-west-1.amazonaws.com/a.pem", "https://sns.eu-west-1.amazonaws.com/a.txt" })
            await Refused(new(good) { ["SigningCertURL"] = url }, HttpStatusCode.UnprocessableEntity);
        await Refused(new(good) { ["SigningCertURL"] = "https://sns.eu-west-2.amazonaws.com/unknown.pem" }, HttpStatusCode.BadGateway);
        await host.Settled(service);
        Assert.Empty(await host.Alerts(service));
        Assert.Equal(HttpStatusCode.Accepted, (await Send(key, good)).StatusCode);
        await host.Comes(service, a => a.IsOpen, "the one that was rightly signed");
    }

    [Fact]
    public async Task A_message_that_is_sent_again_counts_once()
    {
        Certify();
        var (service, key) = await host.Service();
        var alarm = Signed(Alarm("ALARM"));
        await Send(key, alarm);
        await host.Comes(service, a => a.IsOpen, "the alarm");
        await Send(key, Signed(Alarm("OK")));
        await host.Comes(service, a => !a.IsOpen, "its end");
        var again = await Send(key, alarm);
        Assert.Equal("""{"status":"heard before","signals":0}""", await again.Content.ReadAsStringAsync());
        await host.Settled(service);
        Assert.Single(await host.Alerts(service));
    }

    [Fact]
    public async Task A_subscription_is_confirmed_only_once_its_signature_was_right()
    {
        Certify();
        var (_, key) = await host.Service();
        var visit = $"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token={Guid.NewGuid():N}";
        host.Amazon[visit] = "<ConfirmSubscriptionResponse/>";
        var message = Signed(new() { ["Type"] = "SubscriptionConfirmation", ["MessageId"] = Guid.NewGuid().ToString(), ["TopicArn"] = Topic, ["Timestamp"] = Time(Now), ["Message"] = "You have chosen to subscribe", ["Token"] = "t", ["SubscribeURL"] = visit });
        Assert.Equal(HttpStatusCode.Forbidden, (await Send(key, new(message) { ["Token"] = "other" })).StatusCode);
        Assert.DoesNotContain(visit, host.Asked);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send(key, Signed(new(message) { ["SubscribeURL"] = "https://example.com/" }))).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await Send(key, message)).StatusCode);
        Assert.Contains(visit, host.Asked);
    }
}
