using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Portal.Tests.Redis;

/// <summary>A wire to PostgreSQL on which everything works but its notices: as through a pooler that gives each transaction another connection.</summary>
sealed class DeafLine : IDisposable
{
    readonly CancellationTokenSource ended = new();
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly NpgsqlConnectionStringBuilder real;
    int withheld;

    public DeafLine(string connectionString)
    {
        real = new NpgsqlConnectionStringBuilder(connectionString);
        listener.Start();
        _ = Accept();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)listener.LocalEndpoint).Port,
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>Notices that came and were not handed on.</summary>
    public int Withheld => Volatile.Read(ref withheld);

    async Task Accept()
    {
        try
        {
            while (true) _ = Join(await listener.AcceptTcpClientAsync(ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException) { }
    }

    async Task Join(TcpClient near)
    {
        using var far = new TcpClient();
        using (near)
            try
            {
                await far.ConnectAsync(real.Host!, real.Port, ended.Token);
                (near.NoDelay, far.NoDelay) = (true, true);
                await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream(), ended.Token), Answers(far.GetStream(), near.GetStream()));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or IOException or ObjectDisposedException) { }
    }

    async Task Answers(NetworkStream from, NetworkStream to)
    {
        const int head = 5;
        var buffer = new byte[head];
        while (true)
        {
            await from.ReadExactlyAsync(buffer.AsMemory(0, head), ended.Token);
            var length = 1 + BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(1));
            if (buffer.Length < length) Array.Resize(ref buffer, length);
            await from.ReadExactlyAsync(buffer.AsMemory(head, length - head), ended.Token);
            if (buffer[0] == (byte)'A') Interlocked.Increment(ref withheld);
            else await to.WriteAsync(buffer.AsMemory(0, length), ended.Token);
        }
    }

    public void Dispose()
    {
        ended.Cancel();
        listener.Dispose();
        ended.Dispose();
    }
}
