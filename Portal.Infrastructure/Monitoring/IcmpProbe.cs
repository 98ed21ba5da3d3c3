using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>One echo request, and its reply. Needs a process that may send them.</summary>
public sealed class IcmpProbe(GuardedConnector connector, TimeProvider clock) : Probe(clock)
{
    public const string MayNot = "This process may not send echo requests: give it CAP_NET_RAW, or allow its group in net.ipv4.ping_group_range.";

    public override MonitorKind Kind => MonitorKind.Icmp;

    protected override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        var took = TimeSpan.Zero;
        var status = await connector.Reach(request.Target.IdnHost, request.Passage, Clock, async (address, within) =>
        {
            look.Stage = Stage.Waiting;
            using var ping = new Ping();
            var began = Clock.GetTimestamp();
            var reply = await ping.SendPingAsync(address, request.Timeout, cancellationToken: within);
            took = Clock.GetElapsedTime(began);
            return reply.Status;
        }, ct);
        return status switch
        {
            IPStatus.Success => Up() with { Duration = took },
            IPStatus.TimedOut => Down("No reply within the time-out."),
            IPStatus.DestinationHostUnreachable or IPStatus.DestinationNetworkUnreachable => Down($"There is no way to {request.Target.Host} from here."),
            _ => Down($"The reply says {status}."),
        };
    }

    protected override string? Words(Exception e, Progress look)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
            if (inner is PlatformNotSupportedException or SocketException { SocketErrorCode: SocketError.AccessDenied }) return MayNot;
        return base.Words(e, look);
    }

    /// <summary>Whether this process can send echo requests at all; found out with one to itself.</summary>
    public static async Task<bool> IsPossible(CancellationToken ct)
    {
        try
        {
            using var ping = new Ping();
            return (await ping.SendPingAsync(IPAddress.Loopback, TimeSpan.FromSeconds(1), cancellationToken: ct)).Status == IPStatus.Success;
        }
        catch (Exception e) when (e is PingException or PlatformNotSupportedException)
        {
            return false;
        }
    }
}
