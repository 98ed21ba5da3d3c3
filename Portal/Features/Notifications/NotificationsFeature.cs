using Portal.Hosting;
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

namespace Portal.Features.Notifications;

public static class NotificationsFeature
{
    public static IServiceCollection AddNotifications(this IServiceCollection services)
    {
        services.AddSingleton<AnswerLinks>().AddSingleton<ChannelHttp>().AddSingleton<ChannelBook>();
        services.AddSingleton<INotificationChannel, EmailChannel>().AddSingleton<INotificationChannel, SlackChannel>().AddSingleton<INotificationChannel, TeamsChannel>().AddSingleton<INotificationChannel, PagerDutyChannel>();
        services.AddSingleton<INotificationChannel, SmsChannel>().AddSingleton<INotificationChannel, VoiceChannel>().AddSingleton<INotificationChannel, NtfyChannel>().AddSingleton<INotificationChannel, TelegramChannel>();
        services.AddSingleton<INotificationChannel, DiscordChannel>().AddSingleton<INotificationChannel, WebhookChannel>();
        services.AddSingleton(s =>
        {
            var address = s.GetRequiredService<PortalAddress>();
            return new MessageWriter(s.GetRequiredService<AnswerLinks>(), s.GetRequiredService<ChannelBook>(), () => address.Public);
        });
        services.AddSingleton<ChannelConsent>().AddSingleton<SignedHooks>().AddSingleton<ChannelList>().AddSingleton<ContactGroupList>().AddSingleton<OwnContacts>().AddSingleton<ReachOfPeople>().AddSingleton<DeliveryList>();
        services.AddSingleton<AddChannel>().AddSingleton<ChangeChannel>().AddSingleton<DeleteChannel>().AddSingleton<TryChannel>().AddSingleton<ChangeContactGroup>().AddSingleton<DeleteContactGroup>();
        services.AddSingleton<AddContact>().AddSingleton<SendContactCode>().AddSingleton<VerifyContact>().AddSingleton<ChangeContact>().AddSingleton<RemoveContact>().AddSingleton<SendTestPage>();
        return services.AddSingleton<DeliveryClaims>().AddSingleton<DeliveryRecords>().AddSingleton<DeliveryDispatcher>().AddHostedService<DeliveryDispatch>();
    }

    public static WebApplication MapNotifications(this WebApplication app)
    {
        app.MapChannelHooks();
        return app;
    }
}
