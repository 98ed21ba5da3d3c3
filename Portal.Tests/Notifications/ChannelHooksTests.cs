using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Features.Access;
using Portal.Hosting;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Notifications.Slack;
using Portal.Infrastructure.Notifications.Twilio;
using Portal.Tests.Support;

namespace Portal.Tests.Notifications;

/// <summary>Through the whole portal: channels by the API, messages to a receiver, and what comes back signed.</summary>
public sealed class ChannelHooksTests(PortalHost host) : IClassFixture<PortalHost>, IAsyncLifetime
{
    readonly ReceiverServer receiver = new();
    HttpClient client = null!;
    int count;

    public async Task InitializeAsync() => client = host.Client((await host.Get<CreateApiKey>().Execute(new("Test", ["channels:write", "monitors:private", "alerts:read"]), Cast.Alice, default)).Secret);

    public async Task DisposeAsync()
    {
        client.Dispose();
        await receiver.DisposeAsync();
    }

    static async Task<JsonElement> Read(HttpResponseMessage response) => await response.Content.ReadFromJsonAsync<JsonElement>();

    async Task<ChannelId> Channel(ChannelKind kind)
    {
        var created = await client.PostAsJsonAsync("/api/v1/channels", new { name = $"{kind} {Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}", kind = kind.ToString().ToLowerInvariant(), settings = Kinds.Settings(kind, receiver.Url), allowPrivate = true });
        Assert.True(created.StatusCode == HttpStatusCode.Created, await created.Content.ReadAsStringAsync());
        return new(Guid.Parse((await Read(created)).GetProperty("id").GetString()!));
    }

    async Task<(AlertId Alert, DeliveryId Delivery)> Page(ChannelKind kind, ChannelId channel)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = host.Database.Open();
        var person = new Person("Paged", $"paged{Guid.CreateVersion7(now):N}@example.com", Role.Staff, now);
        var service = new Service(new ServiceSettings($"Shop {++count} {kind}", $"shop-{count}-{kind}".ToLowerInvariant(), null, new(null, null, null, null), null, null, 0, null, []), System.Security.Cryptography.RandomNumberGenerator.GetBytes(32), [1], now);
        var alert = new Alert(service.Id, new AlertSignal(SignalAction.Trigger, "k", Severity.P1, "Checkout fails", "shop", new([])), now);
        db.AddRange(person, service, alert);
        var delivery = new Delivery(DeliveryPurpose.Page, new(kind, channel, kind == ChannelKind.Slack ? null : person.Id, null, kind == ChannelKind.Slack ? "Slack" : "+491701234567"), $"page/{alert.Id}", "P1: checkout fails", "", alert.Id, now, now, 0);
        db.Deliveries.Add(delivery);
        await db.SaveChangesAsync();
        await Soon.Comes(async () => (await Find(delivery.Id)).State == DeliveryState.Sent, "the message");
        return (alert.Id, delivery.Id);
    }

    async Task<Delivery> Find(DeliveryId id)
    {
        await using var db = host.Database.Open();
        return await db.Deliveries.AsNoTracking().SingleAsync(d => d.Id == id);
    }

    async Task Acknowledged(AlertId id, string by)
    {
        await using var db = host.Database.Open();
        var alert = await Soon.Reads(() => db.Alerts.AsNoTracking().SingleAsync(a => a.Id == id), a => a.State == AlertState.Acknowledged, "an acknowledged alert");
        Assert.Equal(by, alert.AcknowledgedBy);
        Assert.NotNull(alert.FirstHumanAt);
    }

    async Task<HttpResponseMessage> Slack(ChannelId channel, string token, string? secret = null, TimeSpan age = default)
    {
        var payload = JsonSerializer.Serialize(new { type = "block_actions", user = new { id = "U1", name = "bob" }, actions = new[] { new { action_id = "acknowledge", value = token } } });
        var body = $"payload={Uri.EscapeDataString(payload)}";
        var time = (TimeProvider.System.GetUtcNow() - age).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/hooks/slack/{channel}") { Content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded") };
        request.Headers.Add("X-Slack-Request-Timestamp", time);
        request.Headers.Add("X-Slack-Signature", SlackSignature.Sign(secret ?? $"{Kinds.Mark}-signing", time, Encoding.UTF8.GetBytes(body)));
        using var slack = host.Client();
        return await slack.SendAsync(request);
    }

    [Fact]
    public async Task The_button_in_Slack_acknowledges_and_no_other_signature_time_or_channel_does()
    {
        var (channel, other) = (await Channel(ChannelKind.Slack), await Channel(ChannelKind.Slack));
        var (alert, delivery) = await Page(ChannelKind.Slack, channel);
        var token = JsonDocument.Parse(receiver.Only.Body).RootElement.GetProperty("blocks").EnumerateArray().Last().GetProperty("elements")[0].GetProperty("value").GetString()!;
        Assert.Equal(HttpStatusCode.Unauthorized, (await Slack(channel, token, secret: "wrong")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Slack(channel, token, age: TimeSpan.FromMinutes(6))).StatusCode);
        Assert.Contains("nothing to acknowledge", await (await Slack(other, token)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("nothing to acknowledge", await (await Slack(channel, token[..^1] + (token[^1] == 'A' ? 'E' : 'A'))).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Null((await Find(delivery)).ConfirmedAt);
        for (var i = 0; i < 2; i++) Assert.Contains("Acknowledged.", await (await Slack(channel, token)).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.NotNull((await Find(delivery)).ConfirmedAt);
        await Acknowledged(alert, "bob in Slack");
        await using var db = host.Database.Open();
        Assert.Equal(1, await db.Outbox.CountAsync(o => o.Topic == DeliveryRecords.Answered && EF.Functions.JsonContains(o.Payload, $$"""{"alert":"{{alert}}"}""")));
    }

    async Task<HttpResponseMessage> Twilio(string path, Dictionary<string, string> form, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("X-Twilio-Signature", TwilioHooks.Sign(token ?? Kinds.Mark, host.Get<PortalAddress>().Public + path, form));
        using var twilio = host.Client();
        return await twilio.SendAsync(request);
    }

    [Fact]
    public async Task A_key_on_the_telephone_acknowledges_and_receipts_are_believed_only_with_their_signature()
    {
        receiver.Answer = _ => ReceiverServer.Says(201, """{"sid":"CA1"}""");
        var channel = await Channel(ChannelKind.Voice);
        var (alert, delivery) = await Page(ChannelKind.Voice, channel);
        var keys = System.Xml.Linq.XElement.Parse(receiver.Only.Form["Twiml"]).Element("Gather")!.Attribute("action")!.Value;
        var path = new Uri(keys).AbsolutePath;
        Assert.Equal(HttpStatusCode.Unauthorized, (await Twilio(path, new() { ["Digits"] = "1" }, token: "wrong")).StatusCode);
        Assert.Contains("Nothing was acknowledged", await (await Twilio(path, new() { ["Digits"] = "2" })).Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Null((await Find(delivery)).ConfirmedAt);
        var said = await Twilio(path, new() { ["Digits"] = "1", ["CallSid"] = "CA1" });
        Assert.Equal("<Response><Say>Acknowledged. Good bye.</Say></Response>", await said.Content.ReadAsStringAsync());
        await Acknowledged(alert, "Paged");
        var receipt = new Uri(receiver.Only.Form["StatusCallback"]).AbsolutePath;
        Assert.Equal(HttpStatusCode.Unauthorized, (await Twilio(receipt, new() { ["CallStatus"] = "completed" }, token: "wrong")).StatusCode);
        Assert.Equal(DeliveryState.Sent, (await Find(delivery)).State);
        Assert.Equal(HttpStatusCode.NoContent, (await Twilio(receipt, new() { ["CallStatus"] = "completed" })).StatusCode);
        Assert.Equal(DeliveryState.Delivered, (await Find(delivery)).State);
    }

    [Fact]
    public void Twilio_signs_as_its_documentation_says()
    {
        var form = new Dictionary<string, string> { ["CallSid"] = "CA1234567890ABCDE", ["Caller"] = "+14158675309", ["Digits"] = "1234", ["From"] = "+14158675309", ["To"] = "+18005551212" };
        Assert.True(TwilioHooks.IsValid("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        Assert.False(TwilioHooks.IsValid("12345", "https://mycompany.com/myapp.php?foo=1&bar=3", form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        Assert.False(TwilioHooks.IsValid("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form, null));
    }

    [Fact]
    public async Task A_channel_is_set_up_tried_changed_and_deleted_and_never_shows_its_secrets()
    {
        var id = await Channel(ChannelKind.Webhook);
        var address = $"/api/v1/channels/{id}";
        var text = await client.GetStringAsync(address) + await client.GetStringAsync("/api/v1/channels?limit=200");
        Assert.Contains("\"secrets\":[\"secret\",\"url\"]", text, StringComparison.Ordinal);
        Assert.DoesNotContain(Kinds.Mark, text, StringComparison.Ordinal);
        Assert.Equal("taken", (await Read(await client.PostAsJsonAsync($"{address}/test", new { }))).GetProperty("outcome").GetString());
        receiver.Answer = _ => ReceiverServer.Says(404, $"no {Kinds.Mark} here");
        var refused = await Read(await client.PostAsJsonAsync($"{address}/test", new { }));
        Assert.Equal(("permanent", "127.0.0.1 answered 404: no ••• here"), (refused.GetProperty("outcome").GetString(), refused.GetProperty("reason").GetString()));
        // Another address needs its secrets again.
        var moved = await client.PatchAsJsonAsync(address, new { settings = new { url = "http://127.0.0.1:9/", secret = (string?)null }, allowPrivate = true });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, moved.StatusCode);
        Assert.True((await Read(moved)).GetProperty("errors").TryGetProperty("secret", out _));
        var changed = await Read(await client.PatchAsJsonAsync(address, new { perMinute = 5, enabled = false }));
        Assert.Equal((5, false), (changed.GetProperty("perMinute").GetInt32(), changed.GetProperty("enabled").GetBoolean()));
        var group = await client.PostAsJsonAsync("/api/v1/contact-groups", new { name = $"Group {id}", members = new object[] { new { channel = id.ToString() }, new { email = "Ops@example.com" } } });
        Assert.Equal(HttpStatusCode.Created, group.StatusCode);
        var used = await client.DeleteAsync(address);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, used.StatusCode);
        Assert.Contains($"the group Group {id}", await used.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/contact-groups/{(await Read(group)).GetProperty("id").GetString()}")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync(address)).StatusCode);
        Assert.DoesNotContain(Kinds.Mark, host.Complaints, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_address_needs_the_permission_and_the_word()
    {
        var body = new { name = "Inside", kind = "webhook", settings = Kinds.Settings(ChannelKind.Webhook, receiver.Url) };
        var unsaid = await client.PostAsJsonAsync("/api/v1/channels", body);
        Assert.Contains("private", (await Read(unsaid)).GetProperty("errors").GetProperty("allowPrivate")[0].GetString(), StringComparison.Ordinal);
        using var weaker = host.Client((await host.Get<CreateApiKey>().Execute(new("Weaker", ["channels:write"]), Cast.Alice, default)).Secret);
        var refused = await weaker.PostAsJsonAsync("/api/v1/channels", new { body.name, body.kind, body.settings, allowPrivate = true });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        using var reader = host.Client((await host.Get<CreateApiKey>().Execute(new("Reader", ["alerts:read"]), Cast.Alice, default)).Secret);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.GetAsync("/api/v1/channels")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync("/api/v1/contact-groups")).StatusCode);
    }

    [Fact]
    public async Task The_deliveries_of_an_alert_are_listed_in_parts_with_what_became_of_them()
    {
        receiver.Answer = _ => ReceiverServer.Says(201, """{"sid":"SM1"}""");
        var (alert, delivery) = await Page(ChannelKind.Sms, await Channel(ChannelKind.Sms));
        var page = await client.GetFromJsonAsync<JsonElement>($"/api/v1/deliveries?alert={alert}&limit=1");
        var item = page.GetProperty("items")[0];
        Assert.Equal((delivery.ToString(), "sent", "…67"), (item.GetProperty("id").GetString(), item.GetProperty("state").GetString(), item.GetProperty("address").GetString()));
        Assert.Equal("sent", item.GetProperty("events")[0].GetProperty("state").GetString());
        Assert.Empty((await client.GetFromJsonAsync<JsonElement>($"/api/v1/deliveries?alert={alert}&after={delivery}")).GetProperty("items").EnumerateArray());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.GetAsync("/api/v1/deliveries")).StatusCode);
    }
}
