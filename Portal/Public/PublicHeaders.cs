namespace Portal.Public;

/// <summary>The headers of public pages beyond those of every published document.</summary>
public static class PublicHeaders
{
    public const string Html = "text/html; charset=utf-8";

    /// <summary>A browser asks each time; a cache between may answer for seconds, and for a day while we are away.</summary>
    public const string CacheControl = "public, max-age=0, s-maxage=10, stale-if-error=86400";
    public const string CdnCacheControl = "max-age=10, stale-while-revalidate=60, stale-if-error=86400";

    /// <summary>For what is not a page: opened by itself it may load nothing and be framed nowhere. Pages bring a policy of their own.</summary>
    public static readonly KeyValuePair<string, string> NothingElse = new("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");

    public const string StrictTransport = "max-age=31536000";

    public static string ContentSecurityPolicy(PublicSettings settings) =>
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors " + settings.FrameAncestors;

    public static IReadOnlyDictionary<string, string> For(PublicSettings settings) => new Dictionary<string, string>
    {
        ["Content-Security-Policy"] = ContentSecurityPolicy(settings),
        ["Referrer-Policy"] = "strict-origin-when-cross-origin",
        ["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ["Cross-Origin-Opener-Policy"] = "same-origin",
    };
}
