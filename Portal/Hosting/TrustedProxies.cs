using Microsoft.AspNetCore.HttpOverrides;

namespace Portal.Hosting;

/// <summary>Whose word is taken for where a request comes from: <c>Network:TrustedProxies</c>, and nobody else's.</summary>
static class TrustedProxies
{
    /// <returns>Null when no proxy is trusted: then forwarded headers are ignored.</returns>
    public static ForwardedHeadersOptions? Of(PortalOptions portal)
    {
        if (portal.TrustedProxies.Count == 0) return null;
        // The host is not taken over: links never use it.
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in portal.TrustedProxies) options.KnownIPNetworks.Add(network);
        return options;
    }
}
