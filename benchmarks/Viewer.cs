using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;

namespace Portal.Benchmarks;

/// <summary>An open page: a raw WebSocket on the public hub.</summary>
sealed class Viewer : IDisposable
{
    readonly ClientWebSocket socket = new();
    readonly CancellationTokenSource closed = new();
    TaskCompletionSource<long> heard = new();
    byte[] expected = [];

    public Task<long> Heard => heard.Task;
    public bool IsOpen => socket.State == WebSocketState.Open;

    /// <summary>Only the message that shows this title counts; another rendering may come in between.</summary>
    public void Expect(string title)
    {
        expected = Encoding.UTF8.GetBytes(title);
        heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public static async Task<Viewer> Connect(string url)
    {
        var viewer = new Viewer();
        await viewer.socket.ConnectAsync(new Uri(url.Replace("http://", "ws://", StringComparison.Ordinal) + "/hubs/status?language=en"), viewer.closed.Token);
        await viewer.socket.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e"), WebSocketMessageType.Text, true, viewer.closed.Token);
        _ = viewer.Listen();
        return viewer;
    }

    async Task Listen()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await socket.ReceiveAsync(buffer.AsMemory(length), closed.Token);
                    if (part.MessageType == WebSocketMessageType.Close) return;
                    length += part.Count;
                }
                while (!part.EndOfMessage);
                if (expected.Length > 0 && buffer.AsSpan(0, length).IndexOf(expected) >= 0) heard.TrySetResult(Stopwatch.GetTimestamp());
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or ObjectDisposedException) { return; }
    }

    public void Dispose()
    {
        closed.Cancel();
        socket.Dispose();
        closed.Dispose();
    }
}
