using Portal.Api;

namespace Portal.Public.ReadApi;

/// <summary>What is left of <c>/api/v2</c> once the published documents are answered: unknown addresses, and questions of browsers before they ask.</summary>
static class ReadApiEndpoints
{
    public static void MapReadApi(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/api/v2/{**path}", [HttpMethods.Get, HttpMethods.Head], Missing).AllowAnonymous().ExcludeFromDescription();
        app.MapMethods("/api/v2/{**path}", [HttpMethods.Options], (HttpContext http) =>
        {
            var headers = http.Response.Headers;
            headers.AccessControlAllowOrigin = "*";
            headers.AccessControlAllowMethods = "GET, HEAD";
            headers.AccessControlAllowHeaders = http.Request.Headers.AccessControlRequestHeaders;
            headers.AccessControlMaxAge = "86400";
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        }).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>A document that is published but not there means that the first page is still being made.</summary>
    static Task Missing(HttpContext http)
    {
        http.Response.Headers.AccessControlAllowOrigin = "*";
        return ReadApiPublication.Paths.Contains(http.Request.Path.Value, StringComparer.Ordinal)
            ? Problem.Of(503, "The portal is starting; the page is not made yet.").Write(http)
            : Problem.Of(404).Write(http);
    }
}
