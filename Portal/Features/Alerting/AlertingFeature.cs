namespace Portal.Features.Alerting;

public static class AlertingFeature
{
    public static IServiceCollection AddAlerting(this IServiceCollection services) => services.AddAlertRules();

    public static WebApplication MapAlerting(this WebApplication app) => app;
}
