using Portal.Features.Health;
using Portal.Features.StatusPages;
using Portal.Hosting;

namespace Portal.Public;

public static class PublicFeature
{
    static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static IServiceCollection AddPublicPages(this IServiceCollection services)
    {
        services.AddSingleton<PageRendering>();
        services.AddSingleton<PublicAddress>();
        services.AddSingleton(s => new PublicAssets(s.GetRequiredService<IWebHostEnvironment>().WebRootFileProvider, s.GetRequiredService<PortalOptions>().Public.Brand));
        services.AddSingleton(s => new ModelFile(
            Path.GetFullPath(Path.Combine(s.GetRequiredService<PortalOptions>().DataPath, "published")), s.GetRequiredService<ILogger<ModelFile>>()));
        services.AddSingleton<IPublication, FrontPages>();
        services.AddSingleton<IPublication, ArchivePages>();
        services.AddSingleton<StatusPageSnapshot>();
        services.AddSingleton<PublicIncidents>();
        services.AddSingleton<PublicMaintenances>();
        services.AddSingleton<IStartupStep, PageIdentity>();
        services.AddSingleton<Publisher>();
        services.AddHostedService(s =>
        {
            var publisher = s.GetRequiredService<Publisher>();
            s.GetRequiredService<Figures>().Meter.CreateObservableGauge("portal.page.read.seconds", () => publisher.LastRead.TotalSeconds, description: "How long the page's model took to be read, the last time.");
            return publisher;
        });
        services.AddSingleton<OnDemandPages>();
        return services;
    }

    /// <summary>Stands first: published bytes leave before authentication, sessions and logs that need the database.</summary>
    public static IApplicationBuilder UsePublished(this IApplicationBuilder app) => app.UseMiddleware<PublishedMiddleware>();

    public static IEndpointRouteBuilder MapPublicPages(this IEndpointRouteBuilder app)
    {
        var everybody = app.MapGroup("").AllowAnonymous();
        foreach (var language in PageLanguage.All)
        {
            var pages = everybody.MapGroup(language.Prefix);
            pages.MapMethods("/incidents/{id}", Read, (string id, OnDemandPages on, CancellationToken ct) => on.Incident(language, id, ct));
            pages.MapMethods("/maintenance/{id}", Read, (string id, OnDemandPages on, CancellationToken ct) => on.Maintenance(language, id, ct));
            pages.MapMethods("/history/{month}", Read, (string month, OnDemandPages on, CancellationToken ct) => on.Month(language, month, ct));
            pages.MapMethods("/components/{slug}", Read, (string slug, OnDemandPages on) => on.Component(language, slug));
            pages.MapMethods("/history", Read, (OnDemandPages on) => on.Starting(language));
            everybody.MapMethods(language.FrontPath, Read, (OnDemandPages on) => on.Starting(language));
        }
        everybody.MapMethods("/", Read, (HttpRequest request, OnDemandPages on) => on.Starting(PageLanguage.Preferred(request.Headers.AcceptLanguage.ToString())));
        everybody.MapMethods("/de/{**path}", Read, (OnDemandPages on) => on.Missing(PageLanguage.German));
        return app;
    }
}
