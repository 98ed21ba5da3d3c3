using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Portal.Features.Monitoring;

/// <summary>Where this node can be reached from itself: built-in monitors look there.</summary>
public sealed class SelfAddress(IServer server)
{
    /// <param name="target">Of the form <c>self:/path</c>.</param>
    /// <returns>Null while the portal does not listen.</returns>
    public Uri? Resolve(string target)
    {
        var listening = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        var address = listening.OrderByDescending(a => a.StartsWith("http://", StringComparison.OrdinalIgnoreCase)).FirstOrDefault(a => !a.Contains("://unix:", StringComparison.Ordinal));
        return address is null ? null : new Uri(Reachable(address), target["self:".Length..]);
    }

    /// <summary>"All addresses" is not an address to connect to.</summary>
    static Uri Reachable(string address)
    {
        var binding = BindingAddress.Parse(address);
        var host = binding.Host switch
        {
            "*" or "+" or "0.0.0.0" or "localhost" => "127.0.0.1",
            "[::]" => "[::1]",
            var other => other,
        };
        return new Uri($"{binding.Scheme}://{host}:{binding.Port}");
    }
}
