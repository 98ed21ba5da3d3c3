namespace Portal.Hosting.Logs;

/// <summary>The request that a line of the log belongs to. The host does not keep it (it would for every published answer too, which logs nothing); the frame of all other requests does.</summary>
public sealed class CurrentRequest
{
    readonly HttpContextAccessor accessor = new();

    /// <summary>Null outside of a request, and in work that a request left behind.</summary>
    public HttpContext? Http => accessor.HttpContext;

    public async Task During(HttpContext http, RequestDelegate next)
    {
        accessor.HttpContext = http;
        try
        {
            await next(http);
        }
        finally
        {
            accessor.HttpContext = null;
        }
    }
}
