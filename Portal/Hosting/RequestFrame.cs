using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Portal.Hosting.Logs;

namespace Portal.Hosting;

/// <summary>What every response carries, errors too: its id, how long it took, and the headers that keep browsers safe.</summary>
public static class RequestFrame
{
    const string NonceKey = "portal:nonce";

    /// <summary>Stands before everything else.</summary>
    public static IApplicationBuilder UseRequestFrame(this IApplicationBuilder app)
    {
        var current = app.ApplicationServices.GetRequiredService<CurrentRequest>();
        app.Use((HttpContext http, RequestDelegate next) => Frame(http, current, next));
        return TrustedProxies.Of(app.ApplicationServices.GetRequiredService<PortalOptions>()) is { } proxies ? app.UseForwardedHeaders(proxies) : app;
    }

    static Task Frame(HttpContext http, CurrentRequest current, RequestDelegate next)
    {
        var started = Stopwatch.GetTimestamp();
        http.Response.OnStarting(() =>
        {
            var headers = http.Response.Headers;
            // Our own id always: one that came along could be chosen to confuse whoever reads the logs.
            headers["X-Request-Id"] = http.TraceIdentifier;
            headers["X-Process-Time"] = Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("0.000000", CultureInfo.InvariantCulture);
            headers.XContentTypeOptions = "nosniff";
            Protect(http, headers);
            return Task.CompletedTask;
        });
        return current.During(http, next);
    }

    /// <summary>The value that allows a script element of this one response.</summary>
    public static string ScriptNonce(this HttpContext http)
    {
        if (http.Items[NonceKey] is string made) return made;
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        http.Items[NonceKey] = nonce;
        return nonce;
    }

    static void Protect(HttpContext http, IHeaderDictionary headers)
    {
        var path = http.Request.Path.Value ?? "/";
        if (headers.ContentSecurityPolicy.Count == 0) headers.ContentSecurityPolicy = PolicyFor(http, headers.ContentType.ToString());
        if (headers["Referrer-Policy"].Count == 0) headers["Referrer-Policy"] = IsCapability(http, path) ? "no-referrer" : "strict-origin-when-cross-origin";
        if (headers["Permissions-Policy"].Count == 0) headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
        if (headers["Cross-Origin-Opener-Policy"].Count == 0) headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // A page of a person or a key's answer never belongs into a shared cache unless its author said so.
        if (headers.CacheControl.Count == 0 && headers.ContentType.ToString().StartsWith("text/html", StringComparison.Ordinal)) headers.CacheControl = "no-store";
        if (http.Request.IsHttps) headers.StrictTransportSecurity = "max-age=31536000";
    }

    static bool IsCapability(HttpContext http, string path) =>
        SafePath.IsCapability(path) || http.Request.Query.ContainsKey("token");

    /// <summary>Interactive screens need Blazor's script and its connection; everything else needs nothing but our own files.</summary>
    static string PolicyFor(HttpContext http, string contentType)
    {
        if (!contentType.StartsWith("text/html", StringComparison.OrdinalIgnoreCase)) return "default-src 'none'; frame-ancestors 'none'";
        var script = http.Items[NonceKey] is string nonce ? $"'self' 'nonce-{nonce}'" : "'self'";
        return $"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";
    }
}
