using System.Net;
using System.Net.Sockets;

namespace Portal.Infrastructure.Monitoring;

/// <summary>What an outgoing check may connect to.</summary>
public enum Passage
{
    /// <summary>Public addresses only.</summary>
    PublicOnly,
    /// <summary>An administrator consented to this host and port, wherever they lead.</summary>
    Consented,
    /// <summary>The portal's own address.</summary>
    Self,
}

/// <summary>A connection that was refused before a byte was sent.</summary>
public sealed class PassageRefusedException(string host, IPAddress address)
    : Exception($"{host} leads to the {AddressRules.WordFor(address)} address {address}, which is not allowed.")
{
    public string Host { get; } = host;
    public IPAddress Address { get; } = address;
}

/// <summary>The host's name has no address, or the name server said no.</summary>
public sealed class NameUnknownException(string host, Exception? inner = null) : Exception($"The name {host} could not be resolved.", inner);

/// <summary>
/// The one way out for requests to addresses that a user gave: resolves the name, checks every address that it has, and connects to
/// exactly one of those that it checked, so that a name cannot change its meaning in between.
/// </summary>
public sealed class GuardedConnector(ResolveName resolve, OpenConnection open)
{
    /// <summary>So long one address may take while another one is left to try.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public GuardedConnector() : this(NameResolver.Resolve, NameResolver.Open) { }

    /// <exception cref="NameUnknownException"/>
    /// <exception cref="PassageRefusedException">One of the addresses is not allowed: a name that leads to several places is as dangerous as its worst.</exception>
    public async Task<IReadOnlyList<IPAddress>> Check(string host, Passage passage, CancellationToken ct)
    {
        var addresses = await Addresses(host, ct);
        foreach (var address in addresses)
            if (passage != Passage.Self && Refuses(AddressRules.ReachOf(address), passage)) throw new PassageRefusedException(host, address);
        return addresses;
    }

    /// <summary>Whether this host leads to any address that is not public; null when its name cannot be resolved now.</summary>
    public async Task<bool?> IsPrivate(string host, CancellationToken ct)
    {
        try
        {
            return (await Addresses(host, ct)).Any(a => AddressRules.ReachOf(a) != AddressReach.Public);
        }
        catch (NameUnknownException)
        {
            return null;
        }
    }

    public Task<Stream> Connect(string host, int port, Passage passage, TimeProvider clock, CancellationToken ct) =>
        Reach(host, passage, clock, (address, within) => open(address, port, within), ct);

    /// <summary>For protocols that make their connections by themselves: an attempt goes to an address that was checked, and to no name.</summary>
    public async Task<T> Reach<T>(string host, Passage passage, TimeProvider clock, Func<IPAddress, CancellationToken, Task<T>> attempt, CancellationToken ct)
    {
        var addresses = await Check(host, passage, ct);
        for (var i = 0; ; i++)
        {
            var last = i == addresses.Count - 1;
            using var limit = new CancellationTokenSource(last ? Timeout.InfiniteTimeSpan : Patience, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
            try
            {
                return await attempt(addresses[i], either.Token);
            }
            catch (Exception e) when (!last && !ct.IsCancellationRequested && (e is SocketException or OperationCanceledException || e.InnerException is SocketException))
            {
                ct.ThrowIfCancellationRequested();
            }
        }
    }

    async Task<IReadOnlyList<IPAddress>> Addresses(string host, CancellationToken ct)
    {
        try
        {
            var addresses = await resolve(host, ct);
            return addresses.Count > 0 ? addresses : throw new NameUnknownException(host);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new NameUnknownException(host, e);
        }
    }

    static bool Refuses(AddressReach reach, Passage passage) =>
        reach == AddressReach.Forbidden || (reach == AddressReach.Private && passage == Passage.PublicOnly);
}
