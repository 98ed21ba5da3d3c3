using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;

namespace Portal.Api;

/// <summary>What management addresses say that are none: that they are unknown, or not built yet. Without it a screen's address would answer, and name methods of its own.</summary>
static class UnknownAddresses
{
    static readonly string[] Writing = [HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete];

    /// <summary>Promised for later versions.</summary>
    static readonly string[] Later =
    [
        "metrics", "alert-tests", "deployments",
        "subscribers", "requests", "audit",
    ];

    public static void Map(IEndpointRouteBuilder v1, IEndpointRouteBuilder all)
    {
        v1.MapMethods("/{**rest}", [.. Writing, HttpMethods.Get, HttpMethods.Head], (HttpContext http, string? rest) => Answer(http, rest, all)).ExcludeFromDescription();
    }

    static Task Answer(HttpContext http, string? rest, IEndpointRouteBuilder all)
    {
        var methods = MethodsOf(http.Request.Path, all);
        if (methods.Count > 0)
        {
            http.Response.Headers.Allow = string.Join(", ", methods);
            return Problem.Of(405).Write(http);
        }
        var name = rest?.Split('/')[0] ?? "";
        return Problem.Of(404, Later.Contains(name, StringComparer.OrdinalIgnoreCase) ? $"\"{name}\" is not part of this version yet. What there is, /docs tells." : null).Write(http);
    }

    /// <summary>Those of an address that exists, but not for the method that was sent.</summary>
    static List<string> MethodsOf(PathString path, IEndpointRouteBuilder all) =>
        [.. all.DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Where(e => e.RoutePattern.RawText is { } raw && !raw.Contains("**", StringComparison.Ordinal) && raw.StartsWith("/api/v1/", StringComparison.Ordinal) && Matches(e.RoutePattern, path))
            .SelectMany(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []).Distinct().Order()];

    static bool Matches(RoutePattern pattern, PathString path) => new TemplateMatcher(new RouteTemplate(pattern), []).TryMatch(path, []);
}
