using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Notifications.Slack;
using Portal.Infrastructure.Notifications.Webhook;
using Portal.Infrastructure.Security;
using Portal.Tests.Support;

namespace Portal.Tests.Notifications;

/// <summary>What each service is sent, byte for byte where it matters, and what its answers mean.</summary>
public sealed class ChannelRequestTests : IAsyncLifetime
{
    static readonly AlertId Alert = new(new Guid("01980000000070008000000000000001"));
    static readonly DeliveryId Delivery = new(new Guid("01980000000070008000000000000002"));
    readonly FakeClock clock = new();
    readonly ReceiverServer receiver = new();
    readonly ChannelBook book;

    public ChannelRequestTests() => book = new ChannelBook(Kinds.All(clock), new SecretBox(new MasterKey("/nowhere")));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await receiver.DisposeAsync();

    Message Page => new(Delivery, DeliveryPurpose.Page, "P1: checkout <fails> & more", "Error rate 12 %", "https://status.example.com", clock.GetUtcNow())
    {
        Alert = Alert,
        State = AlertState.Triggered,
        Severity = Severity.P1,
        Url = $"https://status.example.com/ops/alerts/{Alert}",
        AnswerUrl = "https://status.example.com/answer/tok",
        AnswerToken = "tok",
    };

    Task<SendOutcome> Send(ChannelKind kind, Message? message = null, string? address = null, bool allowPrivate = true) => book.Of(kind).Send(message ?? Page, Kinds.Of(book, kind, receiver.Url, allowPrivate, address), default);

    JsonNode Json => JsonNode.Parse(receiver.Only.Body)!;

    [Fact]
    public async Task Slack_gets_blocks_with_a_button_that_acknowledges_and_a_link()
    {
        Assert.IsType<SendOutcome.Taken>(await Send(ChannelKind.Slack));
        Assert.Equal(("POST", $"/services/T0/B0/{Kinds.Mark}", "application/json; charset=utf-8"), (receiver.Only.Method, receiver.Only.Path, receiver.Only.Headers["Content-Type"]));
        Assert.Equal("P1: checkout &lt;fails&gt; &amp; more", Json["text"]!.GetValue<string>());
        var buttons = Json["blocks"]![2]!["elements"]!;
        Assert.Equal(("acknowledge", "tok", "https://status.example.com/answer/tok"), (buttons[0]!["action_id"]!.GetValue<string>(), buttons[0]!["value"]!.GetValue<string>(), buttons[1]!["url"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Teams_gets_an_adaptive_card()
    {
        receiver.Answer = _ => ReceiverServer.Says(202, "");
        Assert.IsType<SendOutcome.Taken>(await Send(ChannelKind.Teams));
        Assert.Equal($"/workflows/1/triggers?sig={Kinds.Mark}", receiver.Only.Path);
        var card = Json["attachments"]![0]!;
        Assert.Equal(("application/vnd.microsoft.card.adaptive", "AdaptiveCard", "P1: checkout <fails> & more"), (card["contentType"]!.GetValue<string>(), card["content"]!["type"]!.GetValue<string>(), card["content"]!["body"]![0]!["text"]!.GetValue<string>()));
    }

    [Fact]
    public async Task PagerDuty_gets_the_alerts_id_as_its_dedup_key_and_hears_when_it_is_over()
    {
        receiver.Answer = _ => ReceiverServer.Says(202, $$"""{"status":"success","dedup_key":"{{Alert}}"}""");
        Assert.Equal(new SendOutcome.Taken(Alert.ToString()), await Send(ChannelKind.PagerDuty));
        Assert.Equal("/v2/enqueue", receiver.Only.Path);
        Assert.Equal((Kinds.Mark, "trigger", Alert.ToString(), "error"), (Json["routing_key"]!.GetValue<string>(), Json["event_action"]!.GetValue<string>(), Json["dedup_key"]!.GetValue<string>(), Json["payload"]!["severity"]!.GetValue<string>()));
        await Send(ChannelKind.PagerDuty, Page with { Purpose = DeliveryPurpose.Follow, State = AlertState.Resolved });
        Assert.Equal("resolve", JsonNode.Parse(receiver.All[1].Body)!["event_action"]!.GetValue<string>());
    }

    [Fact]
    public async Task An_sms_is_a_form_with_basic_authentication_and_keeps_its_link_whole()
    {
        receiver.Answer = _ => ReceiverServer.Says(201, """{"sid":"SM1"}""");
        Assert.Equal(new SendOutcome.Taken("SM1"), await Send(ChannelKind.Sms, Page with { Body = new string('x', 2_000) }, "+491701234567"));
        var (request, form) = (receiver.Only, receiver.Only.Form);
        Assert.Equal(("/2010-04-01/Accounts/AC123/Messages.json", "application/x-www-form-urlencoded"), (request.Path, request.Headers["Content-Type"]));
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"AC123:{Kinds.Mark}")), request.Headers["Authorization"]);
        Assert.Equal(("+491701234567", "+4930123456"), (form["To"], form["From"]));
        Assert.Equal(459, form["Body"].Length);
        Assert.EndsWith("…\nhttps://status.example.com/answer/tok", form["Body"], StringComparison.Ordinal);
        Assert.Equal($"https://status.example.com/api/v1/hooks/twilio/0198000000007000800000000000000c/{Delivery}", form["StatusCallback"]);
    }

    [Fact]
    public async Task A_call_says_it_twice_and_listens_for_a_key()
    {
        receiver.Answer = _ => ReceiverServer.Says(201, """{"sid":"CA1"}""");
        Assert.Equal(new SendOutcome.Taken("CA1"), await Send(ChannelKind.Voice, address: "+491701234567"));
        Assert.Equal("/2010-04-01/Accounts/AC123/Calls.json", receiver.Only.Path);
        var spoken = System.Xml.Linq.XElement.Parse(receiver.Only.Form["Twiml"]);
        var gather = Assert.Single(spoken.Elements("Gather"));
        Assert.Equal(("1", $"https://status.example.com/api/v1/hooks/twilio/0198000000007000800000000000000c/{Delivery}/keys"), (gather.Attribute("numDigits")!.Value, gather.Attribute("action")!.Value));
        Assert.Equal(2, gather.Elements("Say").Count(s => s.Value == "P1: checkout <fails> & more. Error rate 12 %"));
    }

    [Fact]
    public async Task Ntfy_gets_topic_priority_and_an_action()
    {
        receiver.Answer = _ => ReceiverServer.Says(200, """{"id":"n1"}""");
        Assert.Equal(new SendOutcome.Taken("n1"), await Send(ChannelKind.Ntfy));
        Assert.Equal(("/", $"Bearer {Kinds.Mark}"), (receiver.Only.Path, receiver.Only.Headers["Authorization"]));
        Assert.Equal(("ops", 4, "view"), (Json["topic"]!.GetValue<string>(), Json["priority"]!.GetValue<int>(), Json["actions"]![0]!["action"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Telegram_and_Discord_get_their_texts_and_tell_how_long_to_wait()
    {
        receiver.Answer = _ => ReceiverServer.Says(200, """{"ok":true,"result":{"message_id":7}}""");
        Assert.Equal(new SendOutcome.Taken("7"), await Send(ChannelKind.Telegram));
        Assert.Equal($"/bot123:{Kinds.Mark}/sendMessage", receiver.Only.Path);
        Assert.Equal(("-100123", "P1: checkout <fails> & more\n\nError rate 12 %\n\nhttps://status.example.com/answer/tok"), (Json["chat_id"]!.GetValue<string>(), Json["text"]!.GetValue<string>()));
        receiver.Answer = _ => ReceiverServer.Says(429, """{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":17}}""");
        Assert.Equal(TimeSpan.FromSeconds(17), Assert.IsType<SendOutcome.Transient>(await Send(ChannelKind.Telegram)).RetryAfter);
        receiver.Answer = _ => ReceiverServer.Says(403, """{"ok":false,"description":"Forbidden: bot was blocked by the user"}""");
        Assert.Equal("127.0.0.1 answered 403: Forbidden: bot was blocked by the user", Assert.IsType<SendOutcome.Permanent>(await Send(ChannelKind.Telegram)).Reason);
        receiver.Answer = _ => ReceiverServer.Says(200, """{"id":"99"}""");
        Assert.Equal(new SendOutcome.Taken("99"), await Send(ChannelKind.Discord));
        var (path, body) = (receiver.All[^1].Path, JsonNode.Parse(receiver.All[^1].Body)!);
        Assert.Equal($"/api/webhooks/1/{Kinds.Mark}?wait=true", path);
        Assert.Empty(body["allowed_mentions"]!["parse"]!.AsArray());
        Assert.Equal("P1: checkout <fails> & more", body["embeds"]![0]!["title"]!.GetValue<string>());
        receiver.Answer = _ => ReceiverServer.Says(429, """{"message":"You are being rate limited.","retry_after":1.2}""");
        Assert.Equal(TimeSpan.FromSeconds(2), Assert.IsType<SendOutcome.Transient>(await Send(ChannelKind.Discord)).RetryAfter);
    }

    [Fact]
    public async Task A_webhook_is_signed_over_its_time_and_body_and_bears_the_deliverys_id_as_its_key()
    {
        Assert.IsType<SendOutcome.Taken>(await Send(ChannelKind.Webhook));
        var (headers, time) = (receiver.Only.Headers, clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
        Assert.Equal(Delivery.ToString(), headers["Idempotency-Key"]);
        Assert.Equal($"t={time},v1={WebhookChannel.Sign(Kinds.Mark, time, receiver.Only.Body)}", headers["Portal-Signature"]);
        Assert.Equal((Delivery.ToString(), "page", "triggered", "P1", false), (Json["id"]!.GetValue<string>(), Json["purpose"]!.GetValue<string>(), Json["state"]!.GetValue<string>(), Json["severity"]!.GetValue<string>(), Json["test"]!.GetValue<bool>()));
    }

    public static TheoryData<ChannelKind> Over => [.. new[] { ChannelKind.Slack, ChannelKind.Teams, ChannelKind.PagerDuty, ChannelKind.Sms, ChannelKind.Voice, ChannelKind.Ntfy, ChannelKind.Telegram, ChannelKind.Discord, ChannelKind.Webhook }];

    [Theory]
    [MemberData(nameof(Over))]
    public async Task What_is_not_taken_is_told_apart_and_no_reason_holds_a_secret(ChannelKind kind)
    {
        var said = new List<string>();
        async Task<SendOutcome> Answered(string? answer)
        {
            receiver.Answer = _ => answer;
            var outcome = await Send(kind);
            said.Add(outcome.ToString());
            return outcome;
        }

        // Services repeat what they were called by.
        var echo = $"no such path {new Uri(Kinds.Of(book, kind, receiver.Url).Secrets.Values.FirstOrDefault(v => v.StartsWith("http", StringComparison.Ordinal)) ?? $"http://x/{Kinds.Mark}").PathAndQuery} {Kinds.Mark}";
        Assert.IsType<SendOutcome.Permanent>(await Answered(ReceiverServer.Says(400, echo)));
        Assert.IsType<SendOutcome.Permanent>(await Answered(ReceiverServer.Says(404, echo)));
        Assert.IsType<SendOutcome.Permanent>(await Answered(ReceiverServer.Says(302, "", $"Location: http://127.0.0.1/{Kinds.Mark}\r\n")));
        Assert.IsType<SendOutcome.Transient>(await Answered(ReceiverServer.Says(500, echo)));
        Assert.Equal(TimeSpan.FromSeconds(33), Assert.IsType<SendOutcome.Transient>(await Answered(ReceiverServer.Says(429, echo, "Retry-After: 33\r\n"))).RetryAfter);
        Assert.IsType<SendOutcome.Transient>(await Answered(""));
        Assert.IsType<SendOutcome.Transient>(await Answered("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"));
        var before = receiver.All.Count;
        receiver.Answer = _ => null;
        var hanging = Send(kind);
        await Soon.Comes(() => receiver.All.Count > before, "the request");
        clock.FastForward(ChannelHttp.Patience);
        said.Add(Assert.IsType<SendOutcome.Transient>(await hanging).Reason);
        Assert.Contains("within 10 s", said[^1], StringComparison.Ordinal);
        // Nobody allowed a private address.
        said.Add(Assert.IsType<SendOutcome.Permanent>(await Send(kind, allowPrivate: false)).Reason);
        Assert.Contains("not allowed", said[^1], StringComparison.Ordinal);
        await receiver.DisposeAsync();
        said.Add(Assert.IsType<SendOutcome.Transient>(await Send(kind)).Reason);
        Assert.All(said, s => Assert.DoesNotContain(Kinds.Mark, s, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(Kinds.Mark, Kinds.Of(book, kind, receiver.Url).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_of_Slack_is_believed_only_with_its_signature_and_for_five_minutes()
    {
        // As in Slack's own documentation of the scheme.
        const string secret = "8f742231b10e8888abcd99yyyzzz85a5", time = "1531420618";
        var body = Encoding.UTF8.GetBytes("token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c");
        const string signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        var now = DateTimeOffset.FromUnixTimeSeconds(1531420618);
        Assert.True(SlackSignature.IsValid(secret, time, signature, body, now.AddMinutes(5)));
        Assert.False(SlackSignature.IsValid(secret, time, signature, body, now.AddMinutes(5).AddSeconds(1)));
        Assert.False(SlackSignature.IsValid(secret, time, signature, body, now.AddMinutes(-6)));
        Assert.False(SlackSignature.IsValid("another", time, signature, body, now));
        Assert.False(SlackSignature.IsValid(secret, time, null, body, now));
        Assert.False(SlackSignature.IsValid(secret, "99999999999999", signature, body, now));
        body[0] ^= 1;
        Assert.False(SlackSignature.IsValid(secret, time, signature, body, now));
    }

    [Theory]
    [InlineData(ChannelKind.Slack, "webhookUrl", "ftp://x/", "https://")]
    [InlineData(ChannelKind.Slack, "webhookUrl", "https://u:p@x/", "password")]
    [InlineData(ChannelKind.Sms, "from", "0170 123", "+49")]
    [InlineData(ChannelKind.Ntfy, "topic", "two words", "letters")]
    [InlineData(ChannelKind.Telegram, "chat", "somebody", "@name")]
    [InlineData(ChannelKind.Webhook, "secret", "", "required")]
    public void What_a_kind_cannot_use_names_its_field(ChannelKind kind, string field, string value, string words)
    {
        var settings = Kinds.Settings(kind, "https://example.com");
        Assert.NotEmpty(book.Cleaned(kind, settings, new Dictionary<string, string>(), false).Secrets);
        settings[field] = value;
        var refusal = Assert.Throws<DomainException>(() => book.Cleaned(kind, settings, new Dictionary<string, string>(), false));
        Assert.Equal(field, refusal.Field);
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
    }
}
