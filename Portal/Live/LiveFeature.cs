using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Outbox;

namespace Portal.Live;

public static class LiveFeature
{
    public static IServiceCollection AddLive(this IServiceCollection services)
    {
        services.AddSingleton<ChangeFeed>();
        services.AddHostedService<ChangeListener>();
        services.AddSingleton(s => new OutboxDispatcher(
            s.GetRequiredService<Database>(), s.GetServices<IOutboxHandler>(), s.GetRequiredService<NodeName>(), s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<PortalOptions>().Timing.OutboxLease, s.GetRequiredService<ILogger<OutboxDispatcher>>()));
        services.AddHostedService<OutboxDispatch>();
        return services;
    }

    public static IEndpointRouteBuilder MapLive(this IEndpointRouteBuilder app) => app;
}
