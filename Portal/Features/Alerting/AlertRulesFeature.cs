using Portal.Hosting;

namespace Portal.Features.Alerting;

/// <summary>What raises alerts by itself, and where staff see them.</summary>
public static class AlertRulesFeature
{
    public static IServiceCollection AddAlertRules(this IServiceCollection services)
    {
        services.AddSingleton<RuleFigures>().AddSingleton<RulePreview>().AddSingleton<AlertFigures>().AddAlertScreens();
        services.AddSingleton<CreateAlertRule>().AddSingleton<ChangeAlertRule>().AddSingleton<DeleteAlertRule>();
        services.AddSingleton<RuleWatch>().AddHostedService(s => s.GetRequiredService<RuleWatch>());
        services.AddSingleton<IncidentsFromAlerts>().AddHostedService(s => s.GetRequiredService<IncidentsFromAlerts>());
        return services.AddSingleton<IStartupStep, FirstAlerting>();
    }

    /// <summary>What screens of other contexts show of alerts, too.</summary>
    public static IServiceCollection AddAlertScreens(this IServiceCollection services) => services
        .AddSingleton<AlertBoard>().AddSingleton<AlertRoom>().AddSingleton<AlertsOfIncident>().AddSingleton<AlertToDeclare>()
        .AddSingleton<RuleList>().AddSingleton<RuleChoices>().AddSingleton<LinkAlert>().AddTransient<AlertHands>();
}
