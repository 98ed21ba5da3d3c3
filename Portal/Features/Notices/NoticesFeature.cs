using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Notifications.Email;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Postgres;

namespace Portal.Features.Notices;

public static class NoticesFeature
{
    public static IServiceCollection AddNotices(this IServiceCollection services)
    {
        services.AddSingleton(s => new MailOutbox(Path.Combine(s.GetRequiredService<DataFolder>().Root, "outbox"), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<MailOutbox>>()));
        services.AddSingleton(s => new MailDelivery(ServerOf(s.GetRequiredService<PortalOptions>().Smtp), s.GetRequiredService<MailOutbox>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<MailDelivery>>()));
        services.AddSingleton(s =>
        {
            var address = s.GetRequiredService<PortalAddress>();
            return new MailDispatcher(s.GetRequiredService<Database>(), s.GetRequiredService<MailDelivery>(), s.GetRequiredService<NodeName>(), () => address.Public, s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<MailDispatcher>>());
        });
        return services.AddHostedService<MailDispatch>().AddSingleton<OpenNotices>().AddSingleton<DismissNotice>();
    }

    static MailServer? ServerOf(SmtpOptions? smtp) => smtp is null ? null : new MailServer(smtp.Host, smtp.Port, smtp.User, smtp.Password, smtp.Tls, smtp.From);
}
