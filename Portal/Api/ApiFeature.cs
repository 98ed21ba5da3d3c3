using Portal.Features.Access;
using Portal.Features.Incidents;
using Portal.Features.Monitoring;
using Portal.Features.StatusPages;

namespace Portal.Api;

/// <summary>What all of <c>/api/v1</c> shares: keys, problem details, list envelopes, idempotent writes, its description.</summary>
public static class ApiFeature
{
    public static IServiceCollection AddApi(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapApi(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/api/v1");
        v1.MapStatusPagesApi();
        v1.MapIncidentsApi();
        v1.MapMonitoringApi();
        v1.MapAccessApi();
        return app;
    }
}
