using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portal.Api.Describing;
using Portal.Features.Access;
using Portal.Features.Alerting;
using Portal.Features.Backups;
using Portal.Features.Drills;
using Portal.Features.Incidents;
using Portal.Features.Jobs;
using Portal.Features.Maintenance;
using Portal.Features.Monitoring;
using Portal.Features.Monitoring.Places;
using Portal.Features.Notifications;
using Portal.Features.OnCall;
using Portal.Features.StatusPages;
using Portal.Hosting;
using Portal.Public;
using Portal.Public.Feeds;
using Portal.Public.ReadApi;

namespace Portal.Api;

/// <summary>What all of <c>/api/v1</c> shares: keys, problem details, list envelopes, idempotent writes, its description.</summary>
public static class ApiFeature
{
    /// <summary>The longest body that a management request may have, in bytes.</summary>
    const long LongestBody = 1024 * 1024;

    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.AddExceptionHandler<Refusals>();
        services.Configure<KestrelServerOptions>(o => o.AddServerHeader = false);
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, ScopeAnswers>();
        services.AddSingleton<AnswerStore>();
        services.AddHostedService(s => s.GetRequiredService<AnswerStore>());
        services.AddSingleton<IPublication, ReadApiPublication>();
        services.AddSingleton<IPublication, FeedPublication>();
        services.AddSingleton<IPublication, CalendarPublication>();
        services.AddSingleton<IPublication, BadgePublication>();
        services.AddOpenApi("v1", ManagementDocument.Configure);
        services.AddSingleton<DescriptionEndpoints>();
        services.AddRateLimiter(_ => { });
        services.AddOptions<Microsoft.AspNetCore.RateLimiting.RateLimiterOptions>().Configure<PortalOptions>((options, portal) =>
        {
            options.GlobalLimiter = portal.Api.Limiter();
            options.OnRejected = (rejected, ct) => RateLimits.Refuse(rejected.HttpContext, rejected.Lease, ct);
        });
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.Configure<Microsoft.AspNetCore.Http.Json.JsonOptions>(o => ApiJson.Configure(o.SerializerOptions));
        return services;
    }

    /// <summary>Behind authorisation: writes that may be repeated.</summary>
    public static IApplicationBuilder UseIdempotentWrites(this IApplicationBuilder app) => app.UseMiddleware<IdempotentWrites>();

    /// <summary>Errors as answers, for programs and people; in front of everything that can fail.</summary>
    public static IApplicationBuilder UseErrorAnswers(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(_ => { });
        return app.UseStatusCodePages(context => ErrorPage.Answer(context.HttpContext, Problem.Of(context.HttpContext.Response.StatusCode)));
    }

    public static IEndpointRouteBuilder MapApi(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapManagementGroup();
        v1.MapStatusPagesApi();
        v1.MapIncidentsApi();
        v1.MapMaintenanceApi();
        v1.MapJobsApi();
        v1.MapJobSchedulesApi();
        v1.MapBackupsApi();
        v1.MapDrillsApi();
        v1.MapAlertFiguresApi();
        v1.MapNotificationsApi();
        v1.MapOnCallApi();
        v1.MapPoliciesApi();
        v1.MapMonitoringApi();
        v1.MapProbesApi();
        v1.MapAlertsApi();
        v1.MapServicesApi();
        v1.MapAccessApi();
        app.MapHeartbeats();
        UnknownAddresses.Map(v1, app);
        app.MapReadApi();
        DescriptionEndpoints.Map(app);
        return app;
    }

    /// <summary>The group that all management endpoints belong to: keys only, bounded bodies, answers that no cache keeps.</summary>
    public static RouteGroupBuilder MapManagementGroup(this IEndpointRouteBuilder app) => app.MapGroup("/api/v1")
        .RequireAuthorization(new AuthorizationPolicyBuilder(Schemes.ApiKey).RequireAuthenticatedUser().Build())
        .WithMetadata(new KeysOnly(), new RequestSizeLimitAttribute(LongestBody))
        .WithGroupName("v1")
        .AddEndpointFilter(NeverStored);

    static ValueTask<object?> NeverStored(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        context.HttpContext.Response.Headers.CacheControl = "no-store";
        return next(context);
    }
}
