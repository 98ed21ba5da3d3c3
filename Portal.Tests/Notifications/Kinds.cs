using Portal.Domain.Notifications;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Notifications.Discord;
using Portal.Infrastructure.Notifications.Email;
using Portal.Infrastructure.Notifications.Ntfy;
using Portal.Infrastructure.Notifications.PagerDuty;
using Portal.Infrastructure.Notifications.Slack;
using Portal.Infrastructure.Notifications.Teams;
using Portal.Infrastructure.Notifications.Telegram;
using Portal.Infrastructure.Notifications.Twilio;
using Portal.Infrastructure.Notifications.Webhook;

namespace Portal.Tests.Notifications;

/// <summary>Every kind that speaks over HTTP, with settings that lead to a receiver and secrets that can be searched for.</summary>
static class Kinds
{
    /// <summary>In each secret that a test enters.</summary>
    public const string Mark = "Hush4Nobody";

    public static INotificationChannel[] All(TimeProvider clock, MailDelivery? mail = null)
    {
        var http = new ChannelHttp(new GuardedConnector(), clock);
        INotificationChannel[] all = [new SlackChannel(http), new TeamsChannel(http), new PagerDutyChannel(http), new SmsChannel(http), new VoiceChannel(http), new NtfyChannel(http), new TelegramChannel(http), new DiscordChannel(http), new WebhookChannel(http)];
        return mail is null ? all : [.. all, new EmailChannel(mail)];
    }

    public static Dictionary<string, string?> Settings(ChannelKind kind, string url) => kind switch
    {
        ChannelKind.Slack => new() { ["webhookUrl"] = $"{url}/services/T0/B0/{Mark}", ["signingSecret"] = $"{Mark}-signing" },
        ChannelKind.Teams => new() { ["webhookUrl"] = $"{url}/workflows/1/triggers?sig={Mark}" },
        ChannelKind.PagerDuty => new() { ["routingKey"] = Mark, ["baseUrl"] = url },
        ChannelKind.Sms or ChannelKind.Voice => new() { ["accountSid"] = "AC123", ["authToken"] = Mark, ["from"] = "+4930123456", ["to"] = "+49301112222", ["baseUrl"] = url },
        ChannelKind.Ntfy => new() { ["server"] = url, ["topic"] = "ops", ["token"] = Mark },
        ChannelKind.Telegram => new() { ["botToken"] = $"123:{Mark}", ["chat"] = "-100123", ["baseUrl"] = url },
        ChannelKind.Discord => new() { ["webhookUrl"] = $"{url}/api/webhooks/1/{Mark}" },
        _ => new() { ["url"] = $"{url}/hook?key={Mark}", ["secret"] = Mark },
    };

    public static ChannelSettings Of(ChannelBook book, ChannelKind kind, string url, bool allowPrivate = true, string? address = null)
    {
        var (options, secrets) = book.Cleaned(kind, Settings(kind, url), new Dictionary<string, string>(), allowPrivate);
        return new(new ChannelId(new Guid("0198000000007000800000000000000c")), options, secrets, address);
    }
}
