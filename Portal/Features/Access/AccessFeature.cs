namespace Portal.Features.Access;

public static class AccessFeature
{
    public static IServiceCollection AddAccess(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapAccess(this IEndpointRouteBuilder app) => app;
}
