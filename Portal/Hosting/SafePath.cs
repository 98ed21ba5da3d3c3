namespace Portal.Hosting;

/// <summary>A request's path as it may be written down: without the tokens that open something.</summary>
public static class SafePath
{
    /// <summary>Addresses whose next segment is a capability.</summary>
    static readonly string[] Capabilities = ["/subscriptions/", "/requests/", "/api/v1/heartbeats/", "/invitations/", "/reset/", "/welcome/", "/links/", "/answer/", "/setup/", "/on-call/"];

    public static string Of(HttpContext http) => Of(http.Request.Path.Value ?? "/");

    public static string Of(string path)
    {
        foreach (var start in Capabilities)
            if (path.StartsWith(start, StringComparison.OrdinalIgnoreCase) && path.Length > start.Length && !path.EndsWith("/new", StringComparison.OrdinalIgnoreCase))
                return Redact(path, start.Length);
        // /api/v1/hooks/{kind}/{key}
        if (path.StartsWith("/api/v1/hooks/", StringComparison.OrdinalIgnoreCase) && path.IndexOf('/', 14) is > 0 and var slash && slash + 1 < path.Length)
            return Redact(path, slash + 1);
        return path.Length <= 300 ? path : string.Concat(path.AsSpan(0, 299), "…");
    }

    /// <summary>Whether the path carries a capability, so that it must not leak as a referrer either.</summary>
    public static bool IsCapability(string path) => Of(path).Contains("[redacted]", StringComparison.Ordinal);

    static string Redact(string path, int from)
    {
        var end = path.IndexOf('/', from);
        return string.Concat(path.AsSpan(0, from), "[redacted]", end < 0 ? "" : path.AsSpan(end));
    }
}
