using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Notifications;
using Portal.Tests.Support;

namespace Portal.Tests.Alerting;

[Collection(AlertingHosts.Name)]
public class AlertsApiTests(AlertingHost host)
{
    readonly HttpClient client = host.Portal.Client(AlertingHost.ApiKey);

    static async Task<JsonElement> Read(HttpResponseMessage answer, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    async Task<JsonElement> Raise(Service service, string summary, string severity = "P1") =>
        await Read(await client.PostAsJsonAsync("/api/v1/alerts", new { service = service.Slug, severity, summary, labels = new { env = "live" } }), HttpStatusCode.Created);

    [Fact]
    public async Task An_alert_is_raised_read_taken_snoozed_escalated_reassigned_noted_and_resolved()
    {
        var (service, _) = await host.Service();
        var raised = await Raise(service, "The cellar is wet");
        var path = $"/api/v1/alerts/{raised.GetProperty("id").GetString()}";
        Assert.Equal(("triggered", "P1", 1, "live"), (raised.GetProperty("state").GetString(), raised.GetProperty("severity").GetString(), raised.GetProperty("count").GetInt32(), raised.GetProperty("labels").GetProperty("env").GetString()));
        async Task<JsonElement> Do(string what, object? body = null) => await Read(await client.PostAsJsonAsync($"{path}/{what}", body ?? new { }));
        Assert.Equal("acknowledged", (await Do("acknowledge")).GetProperty("state").GetString());
        Assert.Equal("triggered", (await Do("release")).GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.String, (await Do("snooze", new { until = TimeProvider.System.GetUtcNow().AddHours(1) })).GetProperty("snoozedUntil").ValueKind);
        Assert.Equal("triggered", (await Do("escalate")).GetProperty("state").GetString());
        var policy = await new AlertingRig(host.Portal.Database).Policy("Managers");
        Assert.Equal("Managers", (await Do("reassign", new { policy = policy.Id.ToString() })).GetProperty("escalation").GetProperty("policyName").GetString());
        Assert.Contains("noted", (await Do("notes", new { text = "The pump is here" })).GetProperty("timeline").EnumerateArray().Select(e => e.GetProperty("kind").GetString()));
        Assert.Equal("resolved", (await Do("resolve")).GetProperty("state").GetString());
        Assert.Equal("resolved", (await Read(await client.GetAsync(path))).GetProperty("state").GetString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsJsonAsync($"{path}/acknowledge", new { })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsJsonAsync($"/api/v1/alerts/{Guid.NewGuid():N}/acknowledge", new { })).StatusCode);
    }

    [Fact]
    public async Task The_list_is_filtered_and_goes_on_by_its_cursor()
    {
        var (service, _) = await host.Service();
        for (var i = 0; i < 5; i++) await Raise(service, $"Alert {i}", i < 2 ? "P0" : "P2");
        var (seen, after) = (new List<string>(), "");
        do
        {
            var page = await Read(await client.GetAsync($"/api/v1/alerts?service={service.Slug}&open=true&limit=2{after}"));
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("summary").GetString()!));
            after = page.GetProperty("next").GetString() is { } next ? $"&after={next}" : "";
        }
        while (after.Length > 0);
        Assert.Equal(["Alert 4", "Alert 3", "Alert 2", "Alert 1", "Alert 0"], seen);
        Assert.Equal(2, (await Read(await client.GetAsync($"/api/v1/alerts?service={service.Id}&severity=P0"))).GetProperty("items").GetArrayLength());
        Assert.Equal(0, (await Read(await client.GetAsync($"/api/v1/alerts?service={service.Slug}&state=resolved"))).GetProperty("items").GetArrayLength());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.GetAsync("/api/v1/alerts?service=nobody")).StatusCode);
    }

    [Fact]
    public async Task A_routing_key_is_shown_only_to_whoever_manages_alerting_and_works_until_it_is_renewed()
    {
        var name = $"API {Guid.NewGuid():N}"[..20];
        var made = await Read(await client.PostAsJsonAsync("/api/v1/services", new { name, groupFor = 0 }), HttpStatusCode.Created);
        var (path, key) = ($"/api/v1/services/{made.GetProperty("id").GetString()}", made.GetProperty("routingKey").GetString()!);
        async Task<HttpStatusCode> Enqueue(string with) => (await client.PostAsJsonAsync("/v2/enqueue", new { routing_key = with, event_action = "trigger", payload = new { summary = "x", source = "s", severity = "info" } })).StatusCode;
        Assert.Equal(HttpStatusCode.Accepted, await Enqueue(key));
        var readerKey = (await Read(await client.PostAsJsonAsync("/api/v1/api-keys", new { name = "Reader", scopes = new[] { "alerts:read" } }), HttpStatusCode.Created)).GetProperty("key").GetString();
        using var reader = host.Portal.Client(readerKey);
        Assert.Equal(JsonValueKind.Null, (await Read(await reader.GetAsync(path))).GetProperty("routingKey").ValueKind);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PatchAsJsonAsync(path, new { name = "Mine" })).StatusCode);
        var changed = await Read(await client.PatchAsJsonAsync(path, new { acknowledgedFor = 30, sentrySecret = "s3cret", mapping = new { summary = "$.title" } }));
        Assert.Equal((30, true, "$.title", name), (changed.GetProperty("acknowledgedFor").GetInt32(), changed.GetProperty("hasSentrySecret").GetBoolean(), changed.GetProperty("mapping").GetProperty("summary").GetString(), changed.GetProperty("name").GetString()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PatchAsJsonAsync(path, new { mapping = new { summary = "title" } })).StatusCode);
        var renewed = (await Read(await client.PostAsJsonAsync($"{path}/routing-key", new { }))).GetProperty("routingKey").GetString()!;
        Assert.Equal(HttpStatusCode.Accepted, await Enqueue(renewed));
        await Soon.Comes(async () => await Enqueue(key) == HttpStatusCode.BadRequest, "the key before is unknown");
    }

    [Fact]
    public async Task A_silence_is_made_listed_and_ended()
    {
        var (service, _) = await host.Service();
        var made = await Read(await client.PostAsJsonAsync("/api/v1/silences", new { labels = new { service = service.Slug }, to = TimeProvider.System.GetUtcNow().AddHours(1), reason = "Known" }), HttpStatusCode.Created);
        var id = made.GetProperty("id").GetString();
        Assert.Equal("silenced", (await Raise(service, "Quiet")).GetProperty("quiet").GetString());
        Assert.Contains((await Read(await client.GetAsync("/api/v1/silences"))).GetProperty("items").EnumerateArray(), s => s.GetProperty("id").GetString() == id);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/silences/{id}")).StatusCode);
        await host.Comes(service, a => a.Quiet == AlertQuiet.No, "it pages");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PostAsJsonAsync("/api/v1/silences", new { labels = new { }, reason = "x" })).StatusCode);
    }

    [Fact]
    public async Task The_link_in_a_page_shows_on_GET_changes_nothing_and_acts_on_POST_with_its_token_alone()
    {
        var (service, _) = await host.Service();
        await Raise(service, "Press <me>");
        var alert = (await host.Alerts(service)).Single();
        var now = TimeProvider.System.GetUtcNow();
        var person = new Person("Dora", $"dora-{Guid.NewGuid():N}@example.com", Role.Staff, now);
        var delivery = new Delivery(DeliveryPurpose.Page, new(ChannelKind.Email, null, person.Id, null, person.Email), $"{Guid.NewGuid():N}", "P1", "P1", alert.Id, now, now, 0);
        await using (var db = host.Portal.Database.Open())
        {
            db.AddRange(person, delivery);
            await db.SaveChangesAsync();
        }
        var path = host.Portal.Get<AnswerLinks>().PathFor(delivery.Id);
        using var anonymous = host.Portal.Client();
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Get })
        {
            var answer = await anonymous.SendAsync(new HttpRequestMessage(method, path));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
            Assert.True(answer.Headers.CacheControl!.NoStore);
        }
        Assert.Equal(HttpStatusCode.BadRequest, (await anonymous.PostAsync(path, new FormUrlEncodedContent(new Dictionary<string, string> { ["do"] = "acknowledge" }))).StatusCode);
        Assert.Equal(AlertState.Triggered, (await host.Alerts(service)).Single().State);
        var browser = new Browser(anonymous);
        var page = await browser.Get(path);
        Assert.Contains("I have it", page, StringComparison.Ordinal);
        Assert.Contains("Press &lt;me&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
        var done = await browser.Post(path, new() { ["do"] = "acknowledge" });
        Assert.Contains("You have it", await done.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal((AlertState.Acknowledged, "Dora"), (await host.Alerts(service)).Single() is var taken ? (taken.State, taken.AcknowledgedBy) : default);
        Assert.Contains("Dora has it already", await browser.Get(path), StringComparison.Ordinal);
        Assert.Contains("It is resolved. Thank you.", await (await browser.Post(path, new() { ["do"] = "resolve" })).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("It is resolved already", await browser.Get(path), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await anonymous.GetAsync(path[..^2] + (path.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA"))).StatusCode);
        Assert.DoesNotContain(path.Split('/')[^1], host.Portal.Complaints, StringComparison.Ordinal);
    }
}
