using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

[Collection(AlertingHosts.Name)]
public class EnqueueTests(AlertingHost host)
{
    readonly HttpClient client = host.Portal.Client();

    static object Event(string key, string action = "trigger", string? dedup = null, string severity = "critical") => new
    {
        routing_key = key,
        event_action = action,
        dedup_key = dedup,
        payload = new { summary = "Disk is full", source = "db1.example.com", severity, timestamp = DateTimeOffset.UnixEpoch, component = "postgres", group = "prod", @class = "disk", custom_details = new { free = "1%", nested = new { a = new[] { 1, 2 } } } },
        links = new[] { new { href = "https://runbook.example.com/disk", text = "Runbook" } },
        images = new[] { new { src = "https://img.example.com/x.png" } },
        client = "Sensu",
        client_url = "https://sensu.example.com",
    };

    [Fact]
    public async Task An_event_in_the_shape_of_PagerDuty_is_answered_as_PagerDuty_does_and_becomes_an_alert()
    {
        var (service, key) = await host.Service();
        var answer = await client.PostAsJsonAsync("/v2/enqueue", Event(key, dedup: "disk/db1"));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal("""{"status":"success","message":"Event processed","dedup_key":"disk/db1"}""", await answer.Content.ReadAsStringAsync());
        var alert = await host.Comes(service, a => a.Key == "disk/db1", "the alert");
        Assert.Equal((Severity.P0, "Disk is full", "db1.example.com", "https://runbook.example.com/disk", "Sensu"), (alert.Severity, alert.Summary, alert.Source, alert.Link, alert.RaisedBy));
        Assert.Equal([new AlertLabel("component", "postgres"), new("group", "prod"), new("class", "disk")], alert.Labels);
        using var details = JsonDocument.Parse(alert.Details!);
        Assert.Equal("1%", details.RootElement.GetProperty("custom_details").GetProperty("free").GetString());
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsJsonAsync("/v2/enqueue", new { routing_key = key, event_action = "acknowledge", dedup_key = "disk/db1" })).StatusCode);
        await host.Comes(service, a => a.State == AlertState.Acknowledged, "acknowledged");
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsJsonAsync("/v2/enqueue", new { routing_key = key, event_action = "resolve", dedup_key = "disk/db1" })).StatusCode);
        await host.Comes(service, a => a.State == AlertState.Resolved, "resolved");
    }

    [Theory]
    [InlineData("critical", Severity.P0)]
    [InlineData("error", Severity.P1)]
    [InlineData("warning", Severity.P2)]
    [InlineData("info", Severity.P3)]
    public async Task Its_severities_are_P0_to_P3_and_a_key_is_made_where_none_is_given(string word, Severity severity)
    {
        var (service, key) = await host.Service();
        using var answer = JsonDocument.Parse(await (await client.PostAsJsonAsync("/v2/enqueue", Event(key, severity: word))).Content.ReadAsStringAsync());
        var dedup = answer.RootElement.GetProperty("dedup_key").GetString();
        Assert.Equal(32, dedup!.Length);
        Assert.Equal(severity, (await host.Comes(service, a => a.Key == dedup, "the alert")).Severity);
    }

    public static TheoryData<string, string> Invalid => new()
    {
        { "not json", "JSON" },
        { "", "JSON" },
        { "[1]", "JSON" },
        { """{"routing_key":"KEY","event_action":"trigger","payload":{"summary":"\ud800","source":"s","severity":"info"}}""", "JSON" },
        { """{"event_action":"trigger","payload":{"summary":"x","source":"s","severity":"info"}}""", "routing_key" },
        { """{"routing_key":"nobody","event_action":"trigger","payload":{"summary":"x","source":"s","severity":"info"}}""", "routing_key" },
        { """{"routing_key":"KEY","event_action":"explode"}""", "event_action" },
        { """{"routing_key":"KEY","event_action":"trigger"}""", "payload" },
        { """{"routing_key":"KEY","event_action":"trigger","payload":{"source":"s","severity":"info"}}""", "payload.summary" },
        { """{"routing_key":"KEY","event_action":"trigger","payload":{"summary":"x","severity":"info"}}""", "payload.source" },
        { """{"routing_key":"KEY","event_action":"trigger","payload":{"summary":"x","source":"s","severity":"bad"}}""", "payload.severity" },
        { """{"routing_key":"KEY","event_action":"resolve"}""", "dedup_key" },
        { """{"routing_key":"KEY","event_action":"acknowledge","dedup_key":" "}""", "dedup_key" },
        { """{"routing_key":{"a":1},"event_action":["trigger"],"payload":"x","links":3}""", "routing_key" },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public async Task What_is_no_event_is_refused_in_words_and_stored_nowhere(string body, string says)
    {
        var (service, key) = await host.Service();
        var answer = await client.PostAsync("/v2/enqueue", new StringContent(body.Replace("KEY", key, StringComparison.Ordinal), Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var told = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("invalid event", told.RootElement.GetProperty("status").GetString());
        Assert.Contains(says, told.RootElement.GetProperty("errors")[0].GetString(), StringComparison.Ordinal);
        await host.Settled(service);
        Assert.Empty(await host.Alerts(service));
    }

    [Fact]
    public async Task What_PostgreSQL_cannot_store_and_what_is_too_long_is_brought_into_bounds_and_not_lost()
    {
        var (service, key) = await host.Service();
        var body = $$$"""{"routing_key":"{{{key}}}","event_action":"trigger","dedup_key":"odd","payload":{"summary":"a\u0000b{{{new string('x', 3_000)}}}","source":"\u0007s","severity":"error","timestamp":"yesterday","custom_details":{"nul\u0000":"\u0000","big":1e999999,"long":{{{new string('9', 5_000)}}}}},"links":[null,{"href":"javascript:alert(1)"}]}""";
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/v2/enqueue", new StringContent(body))).StatusCode);
        var alert = await host.Comes(service, a => a.Key == "odd", "the alert");
        Assert.Equal((AlertSignal.SummaryLength, "s", null), (alert.Summary.Length, alert.Source, alert.Link));
        using var details = JsonDocument.Parse(alert.Details!);
        Assert.Equal("1e999999", details.RootElement.GetProperty("custom_details").GetProperty("big").GetString());
    }

    [Fact]
    public async Task A_body_of_more_than_512_KB_is_refused_and_one_below_is_taken()
    {
        var (service, key) = await host.Service();
        string Body(int length) => $$$"""{"routing_key":"{{{key}}}","event_action":"trigger","payload":{"summary":"x","source":"s","severity":"info","custom_details":"{{{new string('x', length)}}}"}}""";
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await client.PostAsync("/v2/enqueue", new StringContent(Body(512 * 1024)))).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/v2/enqueue", new StringContent(Body(500 * 1024)))).StatusCode);
        await host.Comes(service, a => a.Summary == "x", "the alert");
    }

    [Fact]
    public async Task Many_at_once_are_all_stored_and_counted_once_each()
    {
        var (service, key) = await host.Service();
        var answers = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => client.PostAsJsonAsync("/v2/enqueue", Event(key, dedup: $"k{i % 4}"))));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        await host.Settled(service);
        Assert.Equal([100L, 100L, 100L, 100L], (await host.Alerts(service)).Select(a => a.Count));
    }
}
