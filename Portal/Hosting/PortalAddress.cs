using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Portal.Hosting;

/// <summary>Where this portal is reached: never taken from a Host header.</summary>
public sealed class PortalAddress(IConfiguration configuration, IServer server)
{
    /// <summary>For links in pages, feeds and messages: <c>Public:BaseUrl</c>, else the first listening address. Without a slash at the end.</summary>
    public string Public => configuration["Public:BaseUrl"] is { Length: > 0 } set ? set.TrimEnd('/') : Own;

    /// <summary>Whether <see cref="Public"/> is only the listening address, of which settings screens warn.</summary>
    public bool IsGuessed => string.IsNullOrEmpty(configuration["Public:BaseUrl"]);

    /// <summary>Whether <see cref="Public"/> can be told yet.</summary>
    public bool IsKnown => !IsGuessed || server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() is { } first && !first.EndsWith(":0", StringComparison.Ordinal);

    /// <summary>This node's own first listening address, for <c>self:</c> targets; wildcards become loopback.</summary>
    /// <exception cref="InvalidOperationException">Nothing listens yet.</exception>
    public string Own
    {
        get
        {
            var first = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault()
                ?? throw new InvalidOperationException("The portal does not listen yet.");
            return first.Replace("://[::]", "://127.0.0.1", StringComparison.Ordinal).Replace("://0.0.0.0", "://127.0.0.1", StringComparison.Ordinal)
                .Replace("://+", "://127.0.0.1", StringComparison.Ordinal).Replace("://*", "://127.0.0.1", StringComparison.Ordinal).TrimEnd('/');
        }
    }
}
