using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Features.Alerting;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

[Collection(AlertingHosts.Name)]
public class HooksTests(AlertingHost host)
{
    readonly HttpClient client = host.Portal.Client();

    Task<HttpResponseMessage> Send(string kind, string key, string body, string query = "", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/hooks/{kind}/{key}{query}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return client.SendAsync(request);
    }

    static async Task<int> Signals(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty("signals").GetInt32();
    }

    const string Firing = """
        {"version":"4","status":"firing","receiver":"portal","groupKey":"{}","externalURL":"http://am.example.com","commonLabels":{},"alerts":[
          {"status":"firing","labels":{"alertname":"DiskFull","instance":"db1:9100","severity":"critical"},"annotations":{"summary":"Disk of db1 is full"},"startsAt":"2026-11-30T10:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom.example.com/g","fingerprint":"aaaa"},
          {"status":"firing","labels":{"alertname":"Slow","job":"api","severity":"warning"},"annotations":{},"startsAt":"2026-11-30T10:00:00Z","fingerprint":"bbbb"}]}
        """;

    [Fact]
    public async Task Alertmanager_tells_of_each_alert_by_its_fingerprint()
    {
        var (service, key) = await host.Service();
        Assert.Equal(2, await Signals(await Send("alertmanager", key, Firing)));
        var disk = await host.Comes(service, a => a.Key == "aaaa", "the first");
        Assert.Equal(("Disk of db1 is full", Severity.P0, "db1:9100", "http://prom.example.com/g"), (disk.Summary, disk.Severity, disk.Source, disk.Link));
        Assert.Contains(new AlertLabel("alertname", "DiskFull"), disk.Labels);
        var slow = await host.Comes(service, a => a.Key == "bbbb", "the second");
        Assert.Equal(("Slow", Severity.P2, "api"), (slow.Summary, slow.Severity, slow.Source));
        Assert.Equal(2, await Signals(await Send("alertmanager", key, Firing.Replace("\"firing\"", "\"resolved\"", StringComparison.Ordinal))));
        await host.Comes(service, a => a is { Key: "aaaa", State: AlertState.Resolved }, "the end of the first");
        await host.Comes(service, a => a is { Key: "bbbb", State: AlertState.Resolved }, "the end of the second");
    }

    [Fact]
    public async Task Grafana_speaks_in_two_shapes()
    {
        var (service, key) = await host.Service();
        Assert.Equal(1, await Signals(await Send("grafana", key, """{"title":"[FIRING:1]","state":"alerting","orgId":1,"alerts":[{"status":"firing","labels":{"alertname":"CPU"},"annotations":{"description":"CPU is hot"},"values":{"A":99},"panelURL":"https://g.example.com/d/1","fingerprint":"cc"}]}""")));
        var cpu = await host.Comes(service, a => a.Key == "cc", "the new shape");
        Assert.Equal(("CPU is hot", "https://g.example.com/d/1", Severity.P2), (cpu.Summary, cpu.Link, cpu.Severity));
        Assert.Equal(1, await Signals(await Send("grafana", key, """{"ruleId":7,"orgId":1,"ruleName":"Memory","state":"alerting","title":"[Alerting] Memory","ruleUrl":"https://g.example.com/r","tags":{"severity":"high"}}""")));
        var memory = await host.Comes(service, a => a.Key == "grafana:1:7", "the old shape");
        Assert.Equal((Severity.P1, "[Alerting] Memory"), (memory.Severity, memory.Summary));
        Assert.Equal(0, await Signals(await Send("grafana", key, """{"ruleId":7,"orgId":1,"state":"paused"}""")));
        Assert.Equal(1, await Signals(await Send("grafana", key, """{"ruleId":7,"orgId":1,"state":"ok"}""")));
        await host.Comes(service, a => a is { Key: "grafana:1:7", State: AlertState.Resolved }, "its end");
    }

    [Fact]
    public async Task UptimeRobot_is_understood_as_JSON_as_a_form_and_behind_the_address()
    {
        var (service, key) = await host.Service();
        Assert.Equal(1, await Signals(await Send("uptimerobot", key, """{"monitorID":"77","monitorFriendlyName":"Shop","monitorURL":"https://shop.example.com","alertType":"1","alertDetails":"Connection timeout"}""")));
        Assert.Equal("Shop is down: Connection timeout", (await host.Comes(service, a => a.Key == "uptimerobot:77", "down")).Summary);
        Assert.Equal(1, await Signals(await client.PostAsync($"/api/v1/hooks/uptimerobot/{key}", new FormUrlEncodedContent(new Dictionary<string, string> { ["monitorID"] = "77", ["alertType"] = "2" }))));
        await host.Comes(service, a => a is { Key: "uptimerobot:77", State: AlertState.Resolved }, "up");
        Assert.Equal(1, await Signals(await client.PostAsync($"/api/v1/hooks/uptimerobot/{key}?monitorID=78&alertType=3&monitorFriendlyName=Mail", null)));
        Assert.Equal(Severity.P3, (await host.Comes(service, a => a.Key == "uptimerobot:78:certificate", "the certificate")).Severity);
    }

    static string Sign(string body, string secret) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(body)));

    [Fact]
    public async Task Sentry_counts_only_with_its_signature_and_a_message_only_once()
    {
        var (service, key) = await host.Service();
        const string created = """{"action":"created","data":{"issue":{"id":"123","title":"NullReference","level":"error","web_url":"https://sentry.example.com/1","project":{"slug":"shop"}}}}""";
        var resolved = created.Replace("created", "resolved", StringComparison.Ordinal);
        var (issue, of) = (("Sentry-Hook-Resource", "issue"), "Sentry-Hook-Signature");
        Assert.Equal(HttpStatusCode.Forbidden, (await Send("sentry", key, created, "", issue, (of, Sign(created, "s3cret")))).StatusCode);
        await host.Portal.Get<ChangeHooks>().Execute(new(service.Id, true, "s3cret", false, null), Cast.Alice, CancellationToken.None);
        await Soon.Comes(async () => (await Send("sentry", key, created, "", issue, (of, Sign(created, "s3cret")))).StatusCode == HttpStatusCode.Accepted, "the secret is known");
        var alert = await host.Comes(service, a => a.Key == "sentry:123", "the issue");
        Assert.Equal((Severity.P1, "NullReference", "shop"), (alert.Severity, alert.Summary, alert.Source));
        foreach (var wrong in new[] { Sign(resolved, "other"), Sign(created, "s3cret"), "", "00", new string('g', 64) })
            Assert.Equal(HttpStatusCode.Forbidden, (await Send("sentry", key, resolved, "", issue, (of, wrong))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await Send("sentry", key, resolved, "", issue)).StatusCode);
        Assert.Equal(1, await Signals(await Send("sentry", key, resolved, "", issue, (of, Sign(resolved, "s3cret")))));
        await host.Comes(service, a => a.State == AlertState.Resolved, "its end");
        // Somebody who has a copy of an old message opens nothing with it.
        Assert.Equal(0, await Signals(await Send("sentry", key, created, "", issue, (of, Sign(created, "s3cret")))));
        await host.Settled(service);
        Assert.Single(await host.Alerts(service));
        Assert.Equal(0, await Signals(await Send("sentry", key, """{"action":"created","data":{}}""", "", ("Sentry-Hook-Resource", "installation"), (of, Sign("""{"action":"created","data":{}}""", "s3cret")))));
    }

    [Fact]
    public async Task The_generic_hook_reads_what_it_was_told_to_read()
    {
        var (usual, usualKey) = await host.Service();
        Assert.Equal(1, await Signals(await Send("generic", usualKey, """{"summary":"Full","key":"k1","severity":"P0","status":"firing","source":"nas"}""")));
        Assert.Equal((Severity.P0, "nas"), await host.Comes(usual, a => a.Key == "k1", "the alert") is var a ? (a.Severity, a.Source) : default);
        var mapping = new SignalMapping("$.event.title", "$.event.id", "$.event['sev-level']", "$.event.state", new(["Recovered"]), null, null);
        var (own, ownKey) = await host.Service(s => s.Map(mapping));
        Assert.Equal(1, await Signals(await Send("generic", ownKey, """{"event":{"title":"Hot","id":5,"sev-level":"high","state":"alarm"}}""")));
        Assert.Equal((Severity.P1, "Hot"), await host.Comes(own, x => x.Key == "5", "the alert") is var b ? (b.Severity, b.Summary) : default);
        Assert.Equal(1, await Signals(await Send("generic", ownKey, """{"event":{"title":"Cool","id":5,"state":"recovered"}}""")));
        await host.Comes(own, x => x.State == AlertState.Resolved, "its end");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send("generic", ownKey, """{"summary":"Full"}""")).StatusCode);
        Assert.Equal("mapping.severity", Assert.Throws<DomainException>(() => new SignalMapping("$.a", null, "no path", null, new([]), null, null).Checked()).Field);
    }

    public static TheoryData<string> Kinds => ["alertmanager", "grafana", "uptimerobot", "sentry", "cloudwatch", "generic"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Whatever_is_sent_is_answered_in_words_and_never_with_a_fault(string kind)
    {
        var (service, key) = await host.Service();
        await host.Portal.Get<ChangeHooks>().Execute(new(service.Id, true, "s3cret", false, null), Cast.Alice, CancellationToken.None);
        string[] bodies = ["", "no json", "[]", "null", "3", "\"x\"", "{", "{}", """{"alerts":3}""", """{"alerts":[3,null]}""", """{"alerts":[{"status":"firing","labels":{"a":{}}}]}""", """{"alerts":[{"status":7,"labels":{"a":"b"}}]}""",
            """{"ruleId":{},"state":[]}""", """{"ruleId":1,"state":"?"}""", """{"monitorID":1,"alertType":9}""", """{"data":{"issue":3}}""", """{"Type":"Notification"}""", """{"summary":{"a":1},"status":[1]}""", """{"summary":"\ud800"}""",
            """{"Type":"Notification","Message":"x","MessageId":"1","TopicArn":"a","Timestamp":"2026-01-01T00:00:00Z","SignatureVersion":"1","Signature":"%%","SigningCertURL":"https://sns.eu-west-1.amazonaws.com/a.pem"}""", new string('[', 2_000)];
        foreach (var body in bodies)
        {
            var answer = await Send(kind, key, body, "", ("Sentry-Hook-Signature", Sign(body, "s3cret")), ("Sentry-Hook-Resource", "issue"));
            Assert.True((int)answer.StatusCode is >= 200 and < 500, $"{kind} {body}: {answer.StatusCode}");
            Assert.NotEmpty(await answer.Content.ReadAsStringAsync());
        }
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await Send(kind, key, $$"""{"summary":"{{new string('x', 512 * 1024)}}"}""")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Send(kind, "nobody", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Send(kind, key, "{}", "?severity=awful")).StatusCode);
    }

    [Fact]
    public async Task A_kind_that_is_none_and_a_key_that_was_renewed_are_unknown()
    {
        var (service, key) = await host.Service();
        Assert.Equal(HttpStatusCode.NotFound, (await Send("pagerduty", key, "{}")).StatusCode);
        Assert.Equal(1, await Signals(await Send("generic", key, """{"summary":"x"}""")));
        await host.Portal.Get<RenewRoutingKey>().Execute(service.Id, Cast.Alice, CancellationToken.None);
        await Soon.Comes(async () => (await Send("generic", key, """{"summary":"x"}""")).StatusCode == HttpStatusCode.NotFound, "the key before is unknown");
    }
}
