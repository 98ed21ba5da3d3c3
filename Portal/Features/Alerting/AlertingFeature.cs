using Portal.Account;
using Portal.Features.Alerting.Hooks;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence.Alerting;

namespace Portal.Features.Alerting;

public static class AlertingFeature
{
    public static IServiceCollection AddAlerting(this IServiceCollection services) => services.AddIntake().AddAlertActions().AddAlertRules().AddAnsweredAlerts();

    public static WebApplication MapAlerting(this WebApplication app)
    {
        app.MapEnqueue();
        app.MapHooks();
        app.MapAnswers();
        return app;
    }

    /// <summary>From what is heard to alerts.</summary>
    static IServiceCollection AddIntake(this IServiceCollection services)
    {
        services.AddSingleton<KnownKeys>().AddSingleton<SignalWriter>();
        services.AddSingleton<SignalInbox>().AddHostedService(s => s.GetRequiredService<SignalInbox>());
        services.AddSingleton<AlertIntake>().AddHostedService<IntakeLoop>();
        services.AddSingleton<GuardedFetch>(s => GuardedFetches.By(s.GetRequiredService<GuardedConnector>(), s.GetRequiredService<TimeProvider>()));
        return services.AddSingleton<SnsSender>().AddSingleton<HookReading>();
    }

    /// <summary>What people and programs do with alerts.</summary>
    static IServiceCollection AddAlertActions(this IServiceCollection services) => services
        .AddTransient<RaiseAlert>().AddTransient<AcknowledgeAlert>().AddTransient<UnacknowledgeAlert>().AddTransient<ResolveAlert>().AddTransient<SnoozeAlert>()
        .AddTransient<EscalateAlert>().AddTransient<ReassignAlert>().AddTransient<NoteOnAlert>().AddTransient<ChangeHooks>().AddTransient<RaisedAlert>().AddTransient<AnswerAlert>().AddTransient<AnswerTarget>()
        .AddTransient<CreateService>().AddTransient<ChangeService>().AddTransient<RenewRoutingKey>().AddTransient<ServiceList>().AddTransient<MakeSilence>().AddTransient<EndSilence>().AddTransient<SilenceList>();
}
