using Portal.Hosting;

namespace Portal.Public;

/// <summary>What the configuration says of the public face, as far as it is known at the moment.</summary>
public sealed class PublicAddress(PortalOptions options, PortalAddress address)
{
    public PublicSettings Settings => new(address.Public, options.Public.Title, options.Public.TimeZone, options.Public.FrameAncestors);

    /// <summary>Whether visitors come by TLS, perhaps ended by a proxy before us.</summary>
    public bool IsSecure => options.Public.BaseUrl?.Scheme == Uri.UriSchemeHttps;

    public bool IsSameOrigin(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var from)
        && (string.Equals(from.Authority, host.Value, StringComparison.OrdinalIgnoreCase) || options.Public.BaseUrl?.Authority == from.Authority);
}
