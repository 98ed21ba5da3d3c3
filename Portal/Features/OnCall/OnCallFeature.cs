namespace Portal.Features.OnCall;

public static class OnCallFeature
{
    public static IServiceCollection AddOnCall(this IServiceCollection services) => services;

    public static WebApplication MapOnCall(this WebApplication app) => app;
}
