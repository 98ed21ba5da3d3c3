namespace Portal.Live;

public static class LiveFeature
{
    public static IServiceCollection AddLive(this IServiceCollection services) => services.AddSingleton<ChangeFeed>();

    public static IEndpointRouteBuilder MapLive(this IEndpointRouteBuilder app) => app;
}
