using Portal.Infrastructure.Notifications;

namespace Portal.Features.Notifications;

public static class NotificationsFeature
{
    public static IServiceCollection AddNotifications(this IServiceCollection services) => services.AddSingleton<AnswerLinks>();

    public static WebApplication MapNotifications(this WebApplication app) => app;
}
