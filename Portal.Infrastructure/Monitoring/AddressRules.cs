using System.Globalization;
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
    static readonly (Prefix Network, AddressReach Reach, string Word)[] Special =
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
    static readonly (Prefix Network, int Offset)[] Embedding =
    [
        (Prefix.Parse("::ffff:0:0/96"), 12), (Prefix.Parse("::ffff:0:0:0/96"), 12), (Prefix.Parse("64:ff9b::/96"), 12),
        (Prefix.Parse("2002::/16"), 2), (Prefix.Parse("::/96"), 12),
    ];

    static readonly Prefix GlobalUnicast = Prefix.Parse("2000::/3");

    public static AddressReach ReachOf(IPAddress address) => Judge(address).Reach;

    /// <summary>"private", "loopback", "link-local", …; "public" for the rest.</summary>
    public static string WordFor(IPAddress address) => Judge(address).Word;

    static (AddressReach Reach, string Word) Judge(IPAddress address)
    {
        foreach (var (network, reach, word) in Special)
            if (network.Contains(address)) return (reach, word);
        if (address.AddressFamily == AddressFamily.InterNetwork) return (AddressReach.Public, "public");
        foreach (var (network, offset) in Embedding)
            if (network.Contains(address)) return Judge(new IPAddress(address.GetAddressBytes().AsSpan(offset, 4)));
        return GlobalUnicast.Contains(address) ? (AddressReach.Public, "public") : (AddressReach.Private, "reserved");
    }

    static (Prefix, AddressReach, string) Private(string network, string word) => (Prefix.Parse(network), AddressReach.Private, word);

    static (Prefix, AddressReach, string) Forbidden(string network, string word) => (Prefix.Parse(network), AddressReach.Forbidden, word);

    /// <summary>The first bits of an address, compared as they are: the framework's IPNetwork reads an IPv4-mapped address as IPv4 and so misses it.</summary>
    sealed record Prefix(byte[] Bytes, int Bits)
    {
        public static Prefix Parse(string text)
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            return new(IPAddress.Parse(text.AsSpan(0, slash)).GetAddressBytes(), int.Parse(text.AsSpan(slash + 1), CultureInfo.InvariantCulture));
        }

        public bool Contains(IPAddress address)
        {
            var bytes = address.GetAddressBytes();
            if (bytes.Length != Bytes.Length) return false;
            for (var bit = 0; bit < Bits; bit += 8)
            {
                var mask = Bits - bit >= 8 ? 0xff : 0xff << (8 - (Bits - bit));
                if (((bytes[bit / 8] ^ Bytes[bit / 8]) & mask & 0xff) != 0) return false;
            }
            return true;
        }
    }
}
