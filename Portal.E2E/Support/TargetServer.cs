using System.Net;
using System.Net.Sockets;

namespace Portal.E2E.Support;

/// <summary>A little web server that a monitor watches: it answers 200 until it is stopped, and can come back on the same port.</summary>
sealed class TargetServer : IAsyncDisposable
{
    readonly int port = Ports.Free();
    CancellationTokenSource stopped = new();
    Task serving = Task.CompletedTask;

    public TargetServer() => Start();

    public string Url => $"http://127.0.0.1:{port}/";
    public int Requests;

    public void Start()
    {
        stopped = new CancellationTokenSource();
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        serving = Serve(listener, stopped.Token);
    }

    public async Task Stop()
    {
        await stopped.CancelAsync();
        await serving;
    }

    async Task Serve(TcpListener listener, CancellationToken ct)
    {
        try
        {
            while (true) await Answer(await listener.AcceptTcpClientAsync(ct), ct);
        }
        catch (OperationCanceledException)
        {
            listener.Stop();
        }
    }

    async Task Answer(TcpClient client, CancellationToken ct)
    {
        using (client)
        {
            var stream = client.GetStream();
            var buffer = new byte[8192];
            if (await stream.ReadAsync(buffer, ct) == 0) return;
            Interlocked.Increment(ref Requests);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"u8.ToArray(), ct);
        }
    }

    public async ValueTask DisposeAsync() => await Stop();
}
