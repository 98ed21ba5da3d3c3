using System.Net;

namespace Portal.Hosting;

/// <summary>Whether a request comes from this machine itself.</summary>
public static class LocalCaller
{
    /// <summary>Behind a proxy everybody seems local: where one is configured, or a request says that it was forwarded, loopback proves nothing.</summary>
    public static bool IsLocal(this HttpContext http) =>
        http.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)
        && !http.Request.Headers.ContainsKey("X-Forwarded-For") && !http.Request.Headers.ContainsKey("X-Forwarded-Host")
        && !http.Request.Headers.ContainsKey("X-Real-IP") && !http.Request.Headers.ContainsKey("Forwarded") && !http.Request.Headers.ContainsKey("Via")
        && http.RequestServices.GetRequiredService<PortalOptions>().TrustedProxies.Count == 0;
}
