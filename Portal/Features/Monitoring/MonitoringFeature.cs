using Portal.Features.Monitoring.Engine;
using Portal.Hosting;
using Portal.Infrastructure;
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
        services.AddSingleton(s => EngineSettings.From(s.GetRequiredService<NodeName>().Value, s.GetRequiredService<IConfiguration>()));
        services.AddSingleton<MonitoringEngine>();
        services.AddHostedService(s => s.GetRequiredService<MonitoringEngine>());
        services.AddTransient<TargetConsent>().AddSingleton<TryBrake>();
        services.AddTransient<CreateMonitor>().AddTransient<ChangeMonitor>().AddTransient<DeleteMonitor>();
        services.AddTransient<CheckMonitorNow>().AddTransient<TryMonitor>();
        services.AddTransient<MonitorList>().AddTransient<MonitorHistory>().AddTransient<ComponentChoices>();
        services.AddTransient<IStartupStep, FirstMonitors>();
        return services;
    }

    public static IEndpointRouteBuilder MapMonitoring(this IEndpointRouteBuilder app) => app;
}
