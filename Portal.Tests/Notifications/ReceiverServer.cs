using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portal.Tests.Notifications;

/// <summary>Whoever gets the messages of a channel: keeps every request whole, and answers what a test says.</summary>
sealed class ReceiverServer : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource ended = new();
    readonly List<Heard> heard = [];

    public sealed record Heard(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
    {
        public Dictionary<string, string> Form => Body.Split('&').Select(p => p.Split('=')).ToDictionary(p => WebUtility.UrlDecode(p[0]), p => WebUtility.UrlDecode(p[1]));
    }

    /// <summary>The raw answer to a request; null answers never, an empty one hangs up.</summary>
    public Func<Heard, string?> Answer { get; set; } = _ => Says(200, "{}");

    public ReceiverServer()
    {
        listener.Start();
        _ = Accept();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";
    public IReadOnlyList<Heard> All { get { lock (heard) return [.. heard]; } }
    public Heard Only => Assert.Single(All);

    public static string Says(int code, string body, string head = "") => string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {code} X\r\n{head}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    async Task Accept()
    {
        try
        {
            while (true) _ = Serve(await listener.AcceptTcpClientAsync(ended.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    async Task Serve(TcpClient client)
    {
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            if (await Read(stream) is not { } request) return;
            lock (heard) heard.Add(request);
            if (Answer(request) is not { } answer) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ended.Token);
            else await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), ended.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // The sender went away, or the test is over.
        }
    }

    async Task<Heard?> Read(NetworkStream stream)
    {
        var (bytes, buffer) = (new List<byte>(), new byte[8_192]);
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. bytes]);
            if (text.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end)
            {
                var lines = text[..end].Split("\r\n");
                var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase);
                var length = headers.TryGetValue("Content-Length", out var said) ? int.Parse(said, CultureInfo.InvariantCulture) : 0;
                if (bytes.Count >= end + 4 + length) return new(lines[0].Split(' ')[0], lines[0].Split(' ')[1], headers, Encoding.UTF8.GetString([.. bytes], end + 4, length));
            }
            var read = await stream.ReadAsync(buffer, ended.Token);
            if (read == 0) return null;
            bytes.AddRange(buffer.AsSpan(0, read));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        listener.Stop();
    }
}
