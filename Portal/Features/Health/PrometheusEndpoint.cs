using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Portal.Api;
using Portal.Components;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Features.Access;
using Portal.Hosting;

namespace Portal.Features.Health;

/// <summary><c>/metrics</c>: for a scraper on this machine, or one with a key that has the scope health:read.</summary>
static class PrometheusEndpoint
{
    public static void Map(IEndpointRouteBuilder app) => app.MapMethods("/metrics", [HttpMethods.Get, HttpMethods.Head], async (HttpContext http, PrometheusText text, HealthParts parts) =>
    {
        if (!http.IsLocal() && await Refuse(http) is { } problem)
        {
            await problem.Write(http);
            return;
        }
        var body = new StringBuilder(text.Write());
        body.Append("# HELP portal_part_up Whether a part of the installation works: 1 yes, 0 no; parts that are not configured are left out.\n# TYPE portal_part_up gauge\n");
        foreach (var (name, report) in (await parts.LookAtAll(http.RequestAborted)).Where(p => p.Value.State != PartState.NotConfigured).OrderBy(p => p.Key, StringComparer.Ordinal))
            body.Append(CultureInfo.InvariantCulture, $"portal_part_up{{part=\"{name}\"}} {(report.State == PartState.Ok ? 1 : 0)}\n");
        http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.WriteAsync(body.ToString(), http.RequestAborted);
    }).AllowAnonymous().ExcludeFromDescription();

    /// <summary>Authenticated only here, so that a local scrape works while the database, which knows the keys, is away.</summary>
    static async Task<Problem?> Refuse(HttpContext http)
    {
        var known = await http.AuthenticateAsync(Schemes.ApiKey);
        if (!known.Succeeded) return Problem.Of(known.Failure is { } failure && Refusal.IsDatabaseAway(failure) ? 503 : 401);
        return known.Principal.ToActor().May(Permission.ViewHealth) ? null : ScopeAnswers.MissingScope(Permissions.ScopeOf(Permission.ViewHealth));
    }
}
