using Portal.Api;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;
using Portal.Infrastructure;
using Portal.Live;

namespace Portal.Features.Health;

/// <summary><c>/health…</c>: for balancers, for the portal's own monitors, and for whoever runs it.</summary>
static class HealthEndpoints
{

    sealed record Part(string State, string? Note, IReadOnlyDictionary<string, object?>? Figures);

    static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapMethods("/health/live", Read, (HttpContext http) => Answer(http, 200, new { status = "ok" })).AllowAnonymous().ExcludeFromDescription();
        foreach (var path in new[] { "/health/ready", "/api/health/ready" }) app.MapMethods(path, Read, Ready).AllowAnonymous().ExcludeFromDescription();
        foreach (var path in new[] { "/health", "/api/health" }) KnownIfTheySaySo(app.MapMethods(path, Read, Whole));
        KnownIfTheySaySo(app.MapMethods("/health/parts/{name}", Read, One));
    }

    /// <summary>Anybody may ask; who shows a key or is signed in is recognised, and told more.</summary>
    static void KnownIfTheySaySo(RouteHandlerBuilder endpoint) => endpoint
        .RequireAuthorization(policy => policy.AddAuthenticationSchemes(Schemes.Session, Schemes.ApiKey).RequireAssertion(_ => true)).ExcludeFromDescription();

    /// <summary>A lost database does not take the public page away, so it is not a reason to send visitors elsewhere; staff need it.</summary>
    static async Task Ready(HttpContext http, HealthParts parts, PagePulse pulse, StartupState startup, IHostApplicationLifetime lifetime, string? scope)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested) await Answer(http, 503, new { status = "draining" });
        else if (!startup.IsServing) await Answer(http, 503, new { status = "starting" });
        // The public page needs no database: whoever balances it is not kept waiting for one that hangs.
        else if (scope != "staff") await Answer(http, 200, new { status = startup.Prepared.IsCompletedSuccessfully && !pulse.IsFailing ? "ok" : "degraded" });
        else if ((await parts.Look("database", http.RequestAborted))!.State == PartState.Ok) await Answer(http, 200, new { status = "ok" });
        else await Answer(http, 503, new { status = "degraded" });
    }

    static async Task Whole(HttpContext http, HealthParts parts, StartupState startup, IHostApplicationLifetime lifetime, NodeName node)
    {
        var reports = await parts.LookAtAll(http.RequestAborted);
        var (status, code) = lifetime.ApplicationStopping.IsCancellationRequested ? ("draining", 503) : !startup.IsServing ? ("starting", 503)
            : reports.Values.Any(r => r.State == PartState.Failing) ? ("degraded", 200) : ("ok", 200);
        var detailed = MaySeeDetails(http);
        await Answer(http, code, new
        {
            status,
            version = detailed ? PortalVersion.Text : null,
            node = detailed ? node.Value : null,
            waitingFor = detailed ? startup.WaitingFor : null,
            parts = reports.OrderBy(r => r.Key, StringComparer.Ordinal).ToDictionary(r => r.Key, r => Show(r.Value, detailed)),
        });
    }

    static async Task One(HttpContext http, HealthParts parts, string name)
    {
        if (await parts.Look(name, http.RequestAborted) is not { } report) throw new NotFoundException("part");
        if (report.State == PartState.NotConfigured)
        {
            http.Response.Headers["X-Part-Note"] = report.Note;
            http.Response.Headers.CacheControl = "no-store";
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        await Answer(http, report.State == PartState.Ok ? 200 : 503, Show(report, MaySeeDetails(http)));
    }

    static Part Show(PartReport report, bool detailed) => new(ApiJson.Word(report.State),
        detailed || report.State == PartState.NotConfigured ? report.Note : null, detailed ? report.Figures : null);

    static bool MaySeeDetails(HttpContext http) =>
        http.IsLocal() || http.User.Identity?.IsAuthenticated == true && http.User.ToActor().May(Permission.ViewHealth);

    static Task Answer(HttpContext http, int status, object body)
    {
        http.Response.StatusCode = status;
        http.Response.Headers.CacheControl = "no-store";
        if (status == 503) http.Response.Headers.RetryAfter = "5";
        return http.Response.WriteAsJsonAsync(body, body.GetType(), ApiJson.Options, "application/json; charset=utf-8", http.RequestAborted);
    }
}
