using Portal.Features.Monitoring.Engine;
using Portal.Infrastructure.Monitoring;

namespace Portal.Features.Monitoring;

public static class MonitoringFeature
{
    public static IServiceCollection AddMonitoring(this IServiceCollection services)
    {
        services.AddSingleton<GuardedConnector>(_ => new GuardedConnector());
        services.AddSingleton<IProbe, HttpProbe>();
        services.AddSingleton<SelfAddress>();
        services.AddSingleton<CheckRunner>();
        services.AddSingleton(s => EngineSettings.From(s.GetRequiredService<IConfiguration>()));
        services.AddSingleton<MonitoringEngine>();
        services.AddHostedService(s => s.GetRequiredService<MonitoringEngine>());
        return services;
    }

    public static IEndpointRouteBuilder MapMonitoring(this IEndpointRouteBuilder app) => app;
}
