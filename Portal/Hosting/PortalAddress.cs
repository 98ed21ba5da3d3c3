using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Portal.Hosting;

/// <summary>Where this portal is reached: never taken from a Host header.</summary>
/// <param name="server">Null for a command, which serves nothing.</param>
public sealed class PortalAddress(PortalOptions options, IServer? server)
{
    /// <summary>For links in pages, feeds and messages: <c>Public:BaseUrl</c>, else the first listening address, or the one to listen on while nothing listens. Without a slash at the end.</summary>
    public string Public => (options.Public.BaseUrl?.AbsoluteUri ?? First(Listening) ?? First(options.Urls) ?? "").TrimEnd('/');

    /// <summary>Whether <see cref="Public"/> is only the listening address, which others may not be able to reach.</summary>
    public bool IsGuessed => options.Public.BaseUrl is null;

    /// <summary>This node's own first listening address, for <c>self:</c> targets; wildcards become loopback. Null while nothing listens.</summary>
    public string? Own => First(Listening);

    IEnumerable<string> Listening => server?.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];

    static string? First(IEnumerable<string> addresses)
    {
        foreach (var address in addresses.Where(a => !a.Contains("://unix:", StringComparison.Ordinal)))
        {
            var binding = BindingAddress.Parse(address);
            // "Any port" is known as soon as the server has chosen one.
            if (binding.Port == 0) continue;
            var host = binding.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "127.0.0.1" : binding.Host;
            return $"{binding.Scheme}://{host}:{binding.Port}";
        }
        return null;
    }
}
