using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portal.Tests.Monitoring;

/// <summary>A name server of the tests, over UDP and TCP at one port: what it answers is a function of the question.</summary>
sealed class NameServer : IAsyncDisposable
{
    readonly Socket udp;
    readonly TcpListener tcp;
    readonly CancellationTokenSource ended = new();
    readonly Func<byte[], bool, IEnumerable<byte[]>> answer;
    int datagrams, connections;

    /// <param name="answer">All that it sends to a question; true over TCP.</param>
    public NameServer(Func<byte[], bool, IEnumerable<byte[]>> answer)
    {
        this.answer = answer;
        (udp, tcp) = Bound();
        _ = Serve(Datagrams);
        _ = Serve(Connected);
    }

    /// <summary>A port that is free for both.</summary>
    static (Socket, TcpListener) Bound()
    {
        for (var tries = 1; ; tries++)
        {
            var tcp = new TcpListener(IPAddress.Loopback, 0);
            tcp.Start();
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                udp.Bind(tcp.LocalEndpoint);
                return (udp, tcp);
            }
            catch (SocketException) when (tries < 20)
            {
                udp.Dispose();
                tcp.Stop();
            }
        }
    }

    public int Port => ((IPEndPoint)udp.LocalEndPoint!).Port;
    public string Address => $"127.0.0.1:{Port}";
    public int Questions => Volatile.Read(ref datagrams);
    public int Connections => Volatile.Read(ref connections);

    static async Task Serve(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or IOException) { }
    }

    async Task Datagrams()
    {
        var buffer = new byte[4096];
        while (true)
        {
            var got = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), ended.Token);
            Interlocked.Increment(ref datagrams);
            foreach (var message in answer(buffer[..got.ReceivedBytes], false)) await udp.SendToAsync(message, got.RemoteEndPoint, ended.Token);
        }
    }

    async Task Connected()
    {
        while (true)
        {
            using var client = await tcp.AcceptTcpClientAsync(ended.Token);
            Interlocked.Increment(ref connections);
            var stream = client.GetStream();
            var length = new byte[2];
            await stream.ReadExactlyAsync(length, ended.Token);
            var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(question, ended.Token);
            foreach (var message in answer(question, true)) await stream.WriteAsync(new[] { (byte)(message.Length >> 8), (byte)message.Length }.Concat(message).ToArray(), ended.Token);
        }
    }

    /// <summary>An answer to this question: the question again, then records of a type with their data, all of the name that was asked for.</summary>
    public static byte[] Reply(byte[] question, int code = 0, bool cut = false, params (int Type, byte[] Data)[] records)
    {
        var message = new List<byte>(question);
        (message[2], message[3]) = ((byte)(0x84 | (cut ? 2 : 0)), (byte)(0x80 | code));
        (message[6], message[7]) = ((byte)(records.Length >> 8), (byte)records.Length);
        foreach (var (type, data) in records)
        {
            // A pointer back to the name in the question.
            message.AddRange([0xc0, 12, 0, (byte)type, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length]);
            message.AddRange(data);
        }
        return [.. message];
    }

    public static byte[] Name(string name) => [.. name.Split('.').SelectMany(l => Encoding.ASCII.GetBytes(l).Prepend((byte)l.Length)), 0];

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        udp.Dispose();
        tcp.Stop();
        ended.Dispose();
    }
}
