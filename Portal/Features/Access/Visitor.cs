using System.Net;
using System.Net.Sockets;
using Portal.Domain.Shared;

namespace Portal.Features.Access;

/// <summary>Where a request comes from, before anybody is known.</summary>
/// <param name="Address">The network address; null where the server knows none.</param>
/// <param name="UserAgent">What the browser says that it is.</param>
public sealed record Visitor(IPAddress? Address, string? UserAgent)
{
    public static Visitor Of(HttpContext http) => new(http.Connection.RemoteIpAddress, http.Request.Headers.UserAgent.ToString());

    public string? From => Address is { IsIPv4MappedToIPv6: true } ? Address.MapToIPv4().ToString() : Address?.ToString();

    /// <summary>Whoever has one IPv6 address has the whole /64 to choose from: they count as one.</summary>
    public string Network
    {
        get
        {
            if (Address is not { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false }) return From ?? "";
            var bytes = Address.GetAddressBytes();
            Array.Clear(bytes, 8, 8);
            return new IPAddress(bytes) + "/64";
        }
    }

    /// <summary>For the audit log, while nobody is signed in.</summary>
    public Actor Nobody => new(ActorKind.System, null, "Nobody signed in", new HashSet<Permission>(), From);
}
