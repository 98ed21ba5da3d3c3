using Portal.Features.Health.Parts;

namespace Portal.Features.Health;

public static class HealthFeature
{
    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.AddSingleton<HealthParts>().AddSingleton<SelfCall>();
        services.AddSingleton<IHealthPart, ProcessPart>().AddSingleton<IHealthPart, DatabasePart>().AddSingleton<IHealthPart, SignInPart>()
            .AddSingleton<IHealthPart, PublicApiPart>().AddSingleton<IHealthPart, LiveHubPart>().AddSingleton<IHealthPart, AdminPart>().AddSingleton<IHealthPart, MailPart>();
        services.AddSingleton<IHealthPart>(new AbsentPart("job-worker", "Jobs run in this version, and nothing watches over them yet."));
        services.AddSingleton<Figures>();
        services.AddSingleton<PrometheusText>();
        services.AddHostedService(s => s.GetRequiredService<PrometheusText>());
        return services;
    }

    public static IEndpointRouteBuilder MapHealth(this IEndpointRouteBuilder app)
    {
        HealthEndpoints.Map(app);
        PrometheusEndpoint.Map(app);
        return app;
    }
}
