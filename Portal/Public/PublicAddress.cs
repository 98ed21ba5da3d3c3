using Portal.Hosting;

namespace Portal.Public;

/// <summary>What the configuration says of the public face, as far as it is known at the moment.</summary>
public sealed class PublicAddress(IConfiguration configuration, PortalAddress address)
{
    readonly TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(configuration["Public:TimeZone"] is { Length: > 0 } id ? id : "UTC");
    readonly string title = configuration["Public:Title"] is { Length: > 0 } title ? title : "Status";
    readonly string ancestors = configuration["Public:FrameAncestors"] is { Length: > 0 } ancestors ? ancestors : "'none'";

    public PublicSettings Settings => new(BaseUrl, title, zone, ancestors);

    /// <summary>Whether visitors come by TLS, perhaps ended by a proxy before us.</summary>
    public bool IsSecure { get; } = configuration["Public:BaseUrl"]?.StartsWith("https://", StringComparison.OrdinalIgnoreCase) == true;

    public bool IsSameOrigin(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var from)
        && (string.Equals(from.Authority, host.Value, StringComparison.OrdinalIgnoreCase)
            || Uri.TryCreate(configuration["Public:BaseUrl"], UriKind.Absolute, out var own) && own.Authority == from.Authority);

    /// <summary>Before the server listens, the address that it was told to listen on.</summary>
    string BaseUrl => address.IsKnown ? address.Public : (configuration["Urls"] ?? "").Split(';')[0].TrimEnd('/');
}
