using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Primitives;
using Portal.Features.Health;

namespace Portal.Public;

/// <summary>Answers published addresses before anything else looks at the request: no session, no limit, no log that needs the database, and no query string.</summary>
public sealed class PublishedMiddleware(RequestDelegate next, Publisher publisher, PublicAddress address, Figures figures)
{
    static readonly StringValues NoSniff = "nosniff";
    static readonly StringValues StrictTransport = PublicHeaders.StrictTransport;
    static readonly StringValues[] Microseconds = [.. Enumerable.Range(0, 4_096).Select(i => new StringValues((i / 1e6).ToString("0.000000", CultureInfo.InvariantCulture)))];

    // No async state machine: the body is copied into the connection's own buffer, and Kestrel flushes it at the end.
    public Task Invoke(HttpContext http)
    {
        var started = Stopwatch.GetTimestamp();
        var request = http.Request;
        var head = HttpMethods.IsHead(request.Method);
        if (!head && !HttpMethods.IsGet(request.Method)) return next(http);
        var path = request.Path.Value!;
        var found = path.Length == 1 ? publisher.Front(request.Headers.AcceptLanguage) : publisher.Find(path);
        if (found is null) return Canonical(path) is { } published ? Moved(http, published) : next(http);

        var variant = found.For(request.Headers.AcceptEncoding);
        var response = http.Response;
        var headers = response.Headers;
        headers.ETag = variant.ETagHeader;
        headers.CacheControl = found.CacheControl;
        headers.Vary = found.Vary;
        if (found.CdnCacheControl.Count > 0) headers["CDN-Cache-Control"] = found.CdnCacheControl;
        if (address.IsSecure || request.IsHttps) headers.StrictTransportSecurity = StrictTransport;
        headers["X-Request-Id"] = http.TraceIdentifier;
        headers["X-Process-Time"] = Elapsed(started);
        if (request.Headers.IfNoneMatch is { Count: > 0 } tags && variant.IsNamedBy(tags))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            figures.Published(StatusCodes.Status304NotModified, 0);
            return Task.CompletedTask;
        }
        if (found.Status != StatusCodes.Status200OK) response.StatusCode = found.Status;
        headers.ContentType = found.ContentType;
        headers.ContentLength = variant.Length;
        if (variant.ContentEncoding.Count > 0) headers.ContentEncoding = variant.ContentEncoding;
        headers.XContentTypeOptions = NoSniff;
        foreach (var (name, value) in found.Others) headers[name] = value;
        if (!head) response.BodyWriter.Write(variant.Body);
        figures.Published(found.Status, head ? 0 : variant.Body.Length);
        return Task.CompletedTask;
    }

    /// <summary>Where a published document lies that was asked for with another case or a slash too many: routing would take these for the same, and render them for each visitor anew.</summary>
    string? Canonical(string path)
    {
        var canonical = path.ToLowerInvariant().TrimEnd('/');
        return canonical.Length > 0 && canonical != path && publisher.Find(canonical) is not null ? canonical : null;
    }

    static Task Moved(HttpContext http, string path)
    {
        http.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        http.Response.Headers.Location = path;
        http.Response.Headers.CacheControl = "public, max-age=3600";
        return Task.CompletedTask;
    }

    static StringValues Elapsed(long started)
    {
        var microseconds = (Stopwatch.GetTimestamp() - started) * 1_000_000 / Stopwatch.Frequency;
        return microseconds < Microseconds.Length ? Microseconds[microseconds] : (microseconds / 1e6).ToString("0.000000", CultureInfo.InvariantCulture);
    }
}
