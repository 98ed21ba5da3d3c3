using System.Net;
using Microsoft.AspNetCore.HttpOverrides;

namespace Portal.Hosting;

/// <summary>Whose word is taken for where a request comes from: <c>Network:TrustedProxies</c>, and nobody else's.</summary>
static class TrustedProxies
{
    public static bool AreConfigured(IConfiguration configuration) => Entries(configuration).Length > 0;

    /// <returns>Null when no proxy is trusted: then forwarded headers are ignored.</returns>
    public static ForwardedHeadersOptions? Of(IConfiguration configuration)
    {
        var entries = Entries(configuration);
        if (entries.Length == 0) return null;
        // The host is not taken over: links never use it.
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var entry in entries)
            if (entry.Contains('/', StringComparison.Ordinal)) options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(entry));
            else options.KnownProxies.Add(IPAddress.Parse(entry));
        return options;
    }

    static string[] Entries(IConfiguration configuration) =>
        [.. (configuration.GetSection("Network:TrustedProxies").Get<string[]>() ?? []).Concat((configuration["Network:TrustedProxies"] ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries)).Where(e => e.Length > 0)];
}
