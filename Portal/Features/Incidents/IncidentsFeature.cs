namespace Portal.Features.Incidents;

public static class IncidentsFeature
{
    public static IServiceCollection AddIncidents(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapIncidents(this IEndpointRouteBuilder app) => app;
}
