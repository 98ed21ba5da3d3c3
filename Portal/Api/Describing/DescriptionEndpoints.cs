using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Portal.Public;

namespace Portal.Api.Describing;

/// <summary><c>/openapi/v1.json</c>, <c>/openapi/v2.json</c> and <c>/docs</c>: made once, from the endpoints that there are.</summary>
sealed class DescriptionEndpoints(IServiceProvider services, PublicAddress address) : IDisposable
{
    readonly SemaphoreSlim once = new(1, 1);
    volatile Made? made;

    sealed record Made(byte[] Management, byte[] Reading, byte[] Page);

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/openapi/v1.json", (DescriptionEndpoints all, HttpContext http) => all.Answer(http, m => m.Management, "application/json; charset=utf-8")).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/openapi/v2.json", (DescriptionEndpoints all, HttpContext http) => all.Answer(http, m => m.Reading, "application/json; charset=utf-8")).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/docs", (DescriptionEndpoints all, HttpContext http) => all.Answer(http, m => m.Page, "text/html; charset=utf-8")).AllowAnonymous().ExcludeFromDescription();
    }

    async Task Answer(HttpContext http, Func<Made, byte[]> choose, string contentType)
    {
        var body = choose(made ?? await Make(http.RequestAborted));
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        http.Response.Headers.CacheControl = "public, max-age=60";
        if (contentType.StartsWith("application/json", StringComparison.Ordinal)) http.Response.Headers.AccessControlAllowOrigin = "*";
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    async Task<Made> Make(CancellationToken ct)
    {
        await once.WaitAsync(ct);
        try
        {
            if (made is { } already) return already;
            var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>("v1").GetOpenApiDocumentAsync(ct);
            var management = await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, ct);
            var reading = ReadApiDocument.Make(address.Settings);
            return made = new Made(Encoding.UTF8.GetBytes(management), Encoding.UTF8.GetBytes(reading.ToJsonString()),
                Encoding.UTF8.GetBytes(new DocsPage(JsonNode.Parse(management)!.AsObject(), reading).Write()));
        }
        finally
        {
            once.Release();
        }
    }

    public void Dispose() => once.Dispose();
}
