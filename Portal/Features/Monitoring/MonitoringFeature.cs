namespace Portal.Features.Monitoring;

public static class MonitoringFeature
{
    public static IServiceCollection AddMonitoring(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapMonitoring(this IEndpointRouteBuilder app) => app;
}
