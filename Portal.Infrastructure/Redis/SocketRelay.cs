using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Redis;

/// <summary>A way to a unix socket for a client that can only TCP: a port on the loopback that lets in this process's user alone, as the socket would.</summary>
public sealed class SocketRelay : IDisposable
{
    readonly CancellationTokenSource ended = new();
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly string socket;
    readonly ILogger log;

    public SocketRelay(string socket, ILogger log)
    {
        (this.socket, this.log) = (socket, log);
        listener.Start();
        _ = Accept();
    }

    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    async Task Accept()
    {
        try
        {
            while (true) _ = Join(await listener.AcceptSocketAsync(ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            if (!ended.IsCancellationRequested) log.LogError(e, "The way to the socket of Redis has ended");
        }
    }

    async Task Join(Socket near)
    {
        using var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using (near)
            try
            {
                if (!IsOurs((IPEndPoint)near.RemoteEndPoint!)) return;
                near.NoDelay = true;
                await far.ConnectAsync(new UnixDomainSocketEndPoint(socket), ended.Token);
                await using var one = new NetworkStream(near);
                await using var other = new NetworkStream(far);
                await await Task.WhenAny(one.CopyToAsync(other, ended.Token), other.CopyToAsync(one, ended.Token));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The client sees its connection end, says so and tries again.
                log.LogDebug(e, "A connection to the socket of Redis ended");
            }
    }

    /// <summary>The owner of the other end, as the kernel lists it. Where it lists nothing nobody is let in.</summary>
    static bool IsOurs(IPEndPoint peer)
    {
        var mine = File.ReadLines("/proc/self/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2];
        var wanted = string.Create(CultureInfo.InvariantCulture, $"0100007F:{peer.Port:X4}");
        return File.ReadLines("/proc/net/tcp").Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Any(l => l.Length > 7 && l[1] == wanted && l[7] == mine);
    }

    public void Dispose()
    {
        ended.Cancel();
        listener.Dispose();
        ended.Dispose();
    }
}
