using System.Diagnostics;

namespace Portal.Hosting.Logs;

/// <summary>One line a request: method, path without capabilities, status, duration. Published pages are counted, not logged.</summary>
static class RequestLog
{
    /// <summary>What takes longer is a warning, under a category of its own.</summary>
    static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    // Asked every few seconds by machines, or many times a page: worth a line only when something is being looked for.
    static readonly string[] Quiet = ["/health", "/api/health", "/metrics", "/assets/", "/_framework/", "/_content/"];

    public static IApplicationBuilder UseRequestLog(this IApplicationBuilder app)
    {
        var logs = app.ApplicationServices.GetRequiredService<ILoggerFactory>();
        var (log, slow) = (logs.CreateLogger("Portal.Requests"), logs.CreateLogger("Portal.SlowRequests"));
        return app.Use(async (http, next) =>
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                await next(http);
            }
            finally
            {
                Write(http, Stopwatch.GetElapsedTime(started), log, slow);
            }
        });
    }

    static void Write(HttpContext http, TimeSpan took, ILogger log, ILogger slow)
    {
        var (method, path, milliseconds) = (Method(http.Request.Method), SafePath.Of(http), Math.Round(took.TotalMilliseconds, 1));
        // A connection that stays open is meant to.
        if (http.WebSockets.IsWebSocketRequest)
            log.LogInformation("{Method} {Path} {Status} open for {Milliseconds} ms", method, path, http.Response.StatusCode, milliseconds);
        else
        {
            log.Log(IsQuiet(http.Request.Path) ? LogLevel.Debug : LogLevel.Information, "{Method} {Path} {Status} in {Milliseconds} ms", method, path, http.Response.StatusCode, milliseconds);
            if (took > Slow) slow.LogWarning("{Method} {Path} took {Milliseconds} ms", method, path, milliseconds);
        }
    }

    static bool IsQuiet(PathString path)
    {
        foreach (var start in Quiet)
            if (path.Value?.StartsWith(start, StringComparison.OrdinalIgnoreCase) == true) return true;
        return false;
    }

    /// <summary>The method is what a stranger sent, of any length.</summary>
    static string Method(string method) => method.Length <= 20 ? method : method[..20];
}
