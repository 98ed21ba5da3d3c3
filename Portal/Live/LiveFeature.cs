using Microsoft.AspNetCore.Http.Connections;
using Portal.Features.Health;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Outbox;
using Portal.Public;

namespace Portal.Live;

public static class LiveFeature
{
    public static IServiceCollection AddLive(this IServiceCollection services)
    {
        services.AddSingleton<ChangeFeed>();
        services.AddSingleton(s => new OutboxDispatcher(
            s.GetRequiredService<Database>(), s.GetServices<OutboxHandler>(), s.GetRequiredService<NodeName>(), s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<PortalOptions>().Timing.OutboxLease, s.GetRequiredService<ILogger<OutboxDispatcher>>()));
        services.AddHostedService<OutboxDispatch>();
        services.AddSingleton<LivePages>();
        services.AddSingleton<PagePulse>();
        services.AddHostedService(s => s.GetRequiredService<PagePulse>());
        services.AddHostedService<ChangeListener>();
        services.AddSignalR().AddHubOptions<StatusHub>(o =>
        {
            o.MaximumReceiveMessageSize = 512;
            o.KeepAliveInterval = TimeSpan.FromSeconds(15);
            o.ClientTimeoutInterval = TimeSpan.FromSeconds(60);
            o.HandshakeTimeout = TimeSpan.FromSeconds(10);
            o.MaximumParallelInvocationsPerClient = 1;
            o.StreamBufferCapacity = 1;
        }).AddJsonProtocol(o => o.PayloadSerializerOptions = LivePages.Json);
        return services;
    }

    public static IEndpointRouteBuilder MapLive(this IEndpointRouteBuilder app)
    {
        app.MapHub<StatusHub>("/hubs/status", o =>
        {
            o.Transports = HttpTransportType.WebSockets;
            o.TransportMaxBufferSize = 32 * 1024;
            o.ApplicationMaxBufferSize = 4 * 1024;
            o.WebSockets.CloseTimeout = TimeSpan.FromSeconds(2);
        }).AllowAnonymous();
        return app;
    }

    /// <summary>Other sites' scripts may not hold connections open from their visitors' browsers (programs send no origin), and nobody beyond as many as are allowed: those poll.</summary>
    public static IApplicationBuilder UseLiveLimits(this IApplicationBuilder app)
    {
        var (address, most, open) = (app.ApplicationServices.GetRequiredService<PublicAddress>(), app.ApplicationServices.GetRequiredService<PortalOptions>().MostViewers, 0);
        app.ApplicationServices.GetRequiredService<Figures>().Meter.CreateObservableGauge("portal.viewers", () => Volatile.Read(ref open), description: "Open public pages that are told of changes.");
        return app.Use(async (http, next) =>
        {
            if (!http.Request.Path.StartsWithSegments("/hubs/status")) await next(http);
            else if (http.Request.Headers.Origin is [{ Length: > 0 } origin] && !address.IsSameOrigin(origin, http.Request.Host)) http.Response.StatusCode = StatusCodes.Status403Forbidden;
            else
                try
                {
                    if (Interlocked.Increment(ref open) <= most) await next(http);
                    else (http.Response.StatusCode, http.Response.Headers.RetryAfter) = (StatusCodes.Status503ServiceUnavailable, "30");
                }
                finally
                {
                    Interlocked.Decrement(ref open);
                }
        });
    }
}
