namespace Portal.Features.StatusPages;

public static class StatusPagesFeature
{
    public static IServiceCollection AddStatusPages(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapStatusPages(this IEndpointRouteBuilder app) => app;
}
