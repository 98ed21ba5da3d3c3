using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portal.E2E.Support;

/// <summary>A little web server of somebody else: it answers 200 until it is stopped, and can come back on the same port.</summary>
sealed class TargetServer : IAsyncDisposable
{
    readonly Func<string, (string Type, string Body)> content;
    readonly int port = Ports.Free();
    CancellationTokenSource stopped = new();
    Task serving = Task.CompletedTask;

    /// <param name="content">Type and body for a path; "ok" for every path unless given.</param>
    public TargetServer(Func<string, (string Type, string Body)>? content = null)
    {
        this.content = content ?? (_ => ("text/plain", "ok\n"));
        Start();
    }

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
            // A browser opens connections ahead of need: one that says nothing must not keep the others waiting.
            while (true) _ = Answer(await listener.AcceptTcpClientAsync(ct), ct);
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
            try
            {
                var read = await stream.ReadAsync(buffer, ct);
                if (read == 0) return;
                Interlocked.Increment(ref Requests);
                var (type, body) = content(Encoding.ASCII.GetString(buffer, 0, read).Split(' ')[1]);
                await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}"), ct);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The caller left, or the server was stopped: both are what a journey wants to happen.
            }
        }
    }

    public async ValueTask DisposeAsync() => await Stop();
}
