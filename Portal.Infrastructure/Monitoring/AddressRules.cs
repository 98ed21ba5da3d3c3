using System.Net;
using System.Net.Sockets;

namespace Portal.Infrastructure.Monitoring;

/// <summary>What kind of place an address leads to.</summary>
public enum AddressReach
{
    /// <summary>Anybody on the internet can reach it.</summary>
    Public,
    /// <summary>Inside a network or this machine: only with an administrator's consent.</summary>
    Private,
    /// <summary>No single host: multicast, broadcast, unspecified. Never.</summary>
    Forbidden,
}

/// <summary>Which addresses outgoing checks may reach. Source: IANA's special-purpose address registries (RFC 6890 and its updates).</summary>
public static class AddressRules
{
    static readonly (IPNetwork Network, AddressReach Reach, string Word)[] Special =
    [
        Forbidden("0.0.0.0/8", "unspecified"), Private("10.0.0.0/8", "private"), Private("100.64.0.0/10", "shared (carrier-grade NAT)"),
        Private("127.0.0.0/8", "loopback"), Private("169.254.0.0/16", "link-local"), Private("172.16.0.0/12", "private"),
        Private("192.0.0.0/24", "reserved"), Private("192.0.2.0/24", "reserved"), Private("192.88.99.0/24", "reserved"),
        Private("192.168.0.0/16", "private"), Private("198.18.0.0/15", "reserved"), Private("198.51.100.0/24", "reserved"),
        Private("203.0.113.0/24", "reserved"), Forbidden("224.0.0.0/4", "multicast"), Forbidden("240.0.0.0/4", "reserved"),
        Forbidden("::/128", "unspecified"), Private("::1/128", "loopback"), Private("64:ff9b:1::/48", "private"), Private("2001::/23", "reserved"),
        Private("2001:db8::/32", "reserved"), Private("3fff::/20", "reserved"), Private("fc00::/7", "private"), Private("fe80::/10", "link-local"),
        Private("fec0::/10", "private"), Forbidden("ff00::/8", "multicast"),
    ];

    // An IPv4 address that sits inside an IPv6 one, and at which byte.
    static readonly (IPNetwork Network, int Offset)[] Embedding =
    [
        (IPNetwork.Parse("::ffff:0:0/96"), 12), (IPNetwork.Parse("::ffff:0:0:0/96"), 12), (IPNetwork.Parse("64:ff9b::/96"), 12),
        (IPNetwork.Parse("2002::/16"), 2), (IPNetwork.Parse("::/96"), 12),
    ];

    static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    public static AddressReach ReachOf(IPAddress address) => Judge(address).Reach;

    /// <summary>"private", "loopback", "link-local", …; "public" for the rest.</summary>
    public static string WordFor(IPAddress address) => Judge(address).Word;

    static (AddressReach Reach, string Word) Judge(IPAddress address)
    {
        foreach (var (network, reach, word) in Special)
            if (network.BaseAddress.AddressFamily == address.AddressFamily && network.Contains(address)) return (reach, word);
        if (address.AddressFamily == AddressFamily.InterNetwork) return (AddressReach.Public, "public");
        foreach (var (network, offset) in Embedding)
            if (network.Contains(address)) return Judge(new IPAddress(address.GetAddressBytes().AsSpan(offset, 4)));
        return GlobalUnicast.Contains(address) ? (AddressReach.Public, "public") : (AddressReach.Private, "reserved");
    }

    static (IPNetwork, AddressReach, string) Private(string network, string word) => (IPNetwork.Parse(network), AddressReach.Private, word);

    static (IPNetwork, AddressReach, string) Forbidden(string network, string word) => (IPNetwork.Parse(network), AddressReach.Forbidden, word);
}
