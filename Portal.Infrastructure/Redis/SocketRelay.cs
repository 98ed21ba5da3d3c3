using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Portal.Infrastructure.Redis;

/// <summary>A way to a unix socket for a client that can only TCP: a port on the loopback that lets in this process's user alone, as the socket would.</summary>
public sealed class SocketRelay : IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource ended = new();
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly string socket;
    readonly TimeProvider clock;
    readonly ILogger log;
    readonly Func<TcpListener, CancellationToken, ValueTask<Socket>> accept;

    /// <param name="accept">Takes the next connection; the listener's own way unless given.</param>
    public SocketRelay(string socket, TimeProvider clock, ILogger log, Func<TcpListener, CancellationToken, ValueTask<Socket>>? accept = null)
    {
        (this.socket, this.clock, this.log) = (socket, clock, log);
        this.accept = accept ?? ((from, ct) => from.AcceptSocketAsync(ct));
        listener.Start();
        _ = Accept();
    }

    public IPEndPoint Address => (IPEndPoint)listener.LocalEndpoint;

    async Task Accept()
    {
        var isFailing = false;
        var stopped = ended.Token;
        while (!stopped.IsCancellationRequested)
            try
            {
                _ = Join(await accept(listener, stopped));
                isFailing = false;
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                if (stopped.IsCancellationRequested) return;
                // The process may be out of file descriptors: that passes.
                if (!isFailing) log.LogWarning(e, "The way to the socket of Redis takes no connection at the moment, and goes on trying");
                isFailing = true;
                await Task.Delay(Pause, clock, stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
    }

    async Task Join(Socket near)
    {
        using (near)
            try
            {
                using var far = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                if (!IsOurs((IPEndPoint)near.RemoteEndPoint!, (IPEndPoint)near.LocalEndPoint!)) return;
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

    /// <summary>The owner of the other end, as the kernel lists it: by both ends, since its port may serve another one's connection to another place at the same time. Where it lists nothing nobody is let in.</summary>
    static bool IsOurs(IPEndPoint peer, IPEndPoint here)
    {
        var mine = File.ReadLines("/proc/self/status").First(l => l.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2];
        var (from, to) = (string.Create(CultureInfo.InvariantCulture, $"0100007F:{peer.Port:X4}"), string.Create(CultureInfo.InvariantCulture, $"0100007F:{here.Port:X4}"));
        return File.ReadLines("/proc/net/tcp").Skip(1).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Any(l => l.Length > 7 && l[1] == from && l[2] == to && l[7] == mine);
    }

    public void Dispose()
    {
        ended.Cancel();
        listener.Dispose();
        ended.Dispose();
    }
}
