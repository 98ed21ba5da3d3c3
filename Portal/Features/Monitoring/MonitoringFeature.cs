using Portal.Features.Health;
using Portal.Features.Monitoring.Engine;
using Portal.Features.Monitoring.Imports;
using Portal.Features.Monitoring.Places;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Monitoring;

namespace Portal.Features.Monitoring;

public static class MonitoringFeature
{
    public static IServiceCollection AddMonitoring(this IServiceCollection services)
    {
        services.AddProbes().AddSingleton<IProbe, HeartbeatProbe>();
        services.AddSingleton<SealedSecrets>().AddSingleton<CheckRunner>();
        services.AddSingleton(s => EngineSettings.From(s.GetRequiredService<NodeName>(), s.GetRequiredService<PortalOptions>()));
        services.AddSingleton<MonitoringEngine>();
        services.AddHostedService(s =>
        {
            var engine = s.GetRequiredService<MonitoringEngine>();
            MonitoringFigures.Show(s.GetRequiredService<Figures>().Meter, engine);
            return engine;
        });
        services.AddTransient<PlaceWork>().AddTransient<FindingsInbox>().AddTransient<PlaceList>().AddTransient<RemovePlace>();
        services.AddTransient<TargetConsent>().AddSingleton<TryBrake>();
        services.AddTransient<CreateMonitor>().AddTransient<ChangeMonitor>().AddTransient<DeleteMonitor>().AddTransient<ChangeMonitors>().AddTransient<DeleteMonitors>();
        services.AddTransient<CheckMonitorNow>().AddTransient<TryMonitor>().AddTransient<RenewHeartbeatKey>().AddTransient<HeartbeatInbox>();
        services.AddTransient<MonitorList>().AddTransient<MonitorHistory>().AddTransient<ResponseTimeHistory>().AddTransient<ComponentChoices>();
        services.AddSingleton<LatestChecks>();
        services.AddTransient<ImportPlanning>().AddTransient<ImportPreview>().AddTransient<ImportMonitors>().AddTransient<UndoImport>().AddTransient<ImportList>().AddTransient<MonitorTable>();
        services.AddTransient<IStartupStep, FirstMonitors>().AddTransient<IStartupStep, OwnCertificate>();
        return services;
    }

    /// <summary>What looks at targets, from wherever it runs: all kinds but the heartbeat, which the portal alone hears.</summary>
    public static IServiceCollection AddProbes(this IServiceCollection services)
    {
        services.AddSingleton<GuardedConnector>(_ => new GuardedConnector());
        services.AddSingleton<IProbe, HttpProbe>().AddSingleton<IProbe, TcpProbe>().AddSingleton<IProbe, TlsProbe>().AddSingleton<IProbe, RedisProbe>().AddSingleton<IProbe, SmtpProbe>();
        services.AddSingleton<IProbe, WebSocketProbe>().AddSingleton<IProbe, DnsProbe>().AddSingleton<IProbe, PostgresProbe>().AddSingleton<IProbe, IcmpProbe>().AddSingleton<IProbe, GrpcProbe>();
        return services;
    }
}
