using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Portal.Tests.Monitoring;

/// <summary>The wire between a node and its PostgreSQL, which a test can cut (refused and reset) or freeze (nothing moves, nothing ends).</summary>
sealed class DatabaseLine : IDisposable
{
    readonly CancellationTokenSource ended = new();
    readonly NpgsqlConnectionStringBuilder real;
    readonly List<TcpClient> open = [];
    readonly int port;
    TcpListener? listener;
    volatile TaskCompletionSource flowing = Done();

    public DatabaseLine(string connectionString)
    {
        real = new NpgsqlConnectionStringBuilder(connectionString);
        listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = Accept(listener);
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { Host = "127.0.0.1", Port = port, Timeout = 2, CommandTimeout = 2, CancellationTimeout = 500 }.ConnectionString;
    }

    public string ConnectionString { get; }

    public void Cut()
    {
        listener?.Stop();
        listener = null;
        lock (open)
        {
            foreach (var client in open) client.Close();
            open.Clear();
        }
    }

    public void Freeze() => flowing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Mend()
    {
        flowing.TrySetResult();
        if (listener is not null) return;
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        _ = Accept(listener);
    }

    async Task Accept(TcpListener on)
    {
        try
        {
            while (true) _ = Join(await on.AcceptTcpClientAsync(ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task Join(TcpClient near)
    {
        var far = new TcpClient();
        lock (open) open.AddRange([near, far]);
        try
        {
            await far.ConnectAsync(real.Host!, real.Port, ended.Token);
            await Task.WhenAny(Pass(near.GetStream(), far.GetStream()), Pass(far.GetStream(), near.GetStream()));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException or InvalidOperationException) { }
        near.Close();
        far.Close();
    }

    async Task Pass(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var read = await from.ReadAsync(buffer, ended.Token);
            if (read == 0) return;
            await flowing.Task.WaitAsync(ended.Token);
            await to.WriteAsync(buffer.AsMemory(0, read), ended.Token);
        }
    }

    static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    public void Dispose()
    {
        ended.Cancel();
        Cut();
        ended.Dispose();
    }
}
