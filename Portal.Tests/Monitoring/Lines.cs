using System.Net;
using System.Net.Sockets;

namespace Portal.Tests.Monitoring;

/// <summary>Does with each connection what the test says, and closes it then.</summary>
sealed class Lines : IAsyncDisposable
{
    readonly TcpListener listener;
    readonly CancellationTokenSource ended = new();
    int connections;

    public Lines(Func<Stream, CancellationToken, Task> talk, IPAddress? address = null, int port = 0)
    {
        listener = new(address ?? IPAddress.Loopback, port);
        listener.Start();
        _ = Accept(talk);
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;
    public int Connections => Volatile.Read(ref connections);

    async Task Accept(Func<Stream, CancellationToken, Task> talk)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(ended.Token);
                Interlocked.Increment(ref connections);
                _ = Serve(client, talk);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task Serve(TcpClient client, Func<Stream, CancellationToken, Task> talk)
    {
        using var _ = client;
        try
        {
            await talk(client.GetStream(), ended.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException) { }
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
        ended.Dispose();
    }
}
