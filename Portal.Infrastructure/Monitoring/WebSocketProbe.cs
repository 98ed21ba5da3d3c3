using System.Net.WebSockets;
using System.Text;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>The opening handshake (RFC 6455), a message and its answer where the monitor says so, and a close.</summary>
public sealed class WebSocketProbe(GuardedConnector connector, TimeProvider clock) : Probe(clock)
{
    const int LargestAnswer = 64 * 1024;
    /// <summary>So long the other side may take to say goodbye; it changes neither verdict nor measure.</summary>
    static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(1);

    public override MonitorKind Kind => MonitorKind.Websocket;

    protected override async Task<ProbeAnswer> Try(ProbeRequest request, Progress look, CancellationToken ct)
    {
        var began = Clock.GetTimestamp();
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("User-Agent", "Portal-Monitor/1.0");
        foreach (var (name, value) in request.Secrets) socket.Options.SetRequestHeader(name, value);
        using var client = new HttpMessageInvoker(GuardedHandler.For(connector, request.Passage, Clock, () => look.Stage = Stage.Waiting, look.Url.Host, refusal => look.Certificate = refusal, ct));
        try
        {
            await socket.ConnectAsync(request.Target, client, ct);
        }
        catch (WebSocketException) when (socket.HttpStatusCode is var status && (int)status >= 100)
        {
            return Down($"Answered {(int)status} to the handshake; expected 101.", (int)status);
        }
        look.Status = 101;
        var refused = await Converse(socket, request.Options, ct);
        var took = Clock.GetElapsedTime(began);
        using var limit = new CancellationTokenSource(Goodbye, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, either.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // It opened; how it ends is not what was asked.
        }
        return refused ?? Up() with { StatusCode = 101, Duration = took };
    }

    /// <returns>Null when nothing was wanted, or it came.</returns>
    static async Task<ProbeAnswer?> Converse(ClientWebSocket socket, MonitorOptions options, CancellationToken ct)
    {
        if (options.Body is { } message) await socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, ct);
        if (options.ExpectText is null && options.RejectText is null) return null;
        var (buffer, filled) = (new byte[LargestAnswer], 0);
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(filled), ct);
            if (received.MessageType == WebSocketMessageType.Close) return Down("The connection was closed before an answer came.", 101);
            filled += received.Count;
            if (received.EndOfMessage || filled == buffer.Length) break;
        }
        return TextRules.Refusal(options, Encoding.UTF8.GetString(buffer, 0, filled), cut: false) is { } why ? Down(why, 101) : null;
    }

    protected override string? Words(Exception e, Progress look)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
            if (HttpWords.For(inner) is { } words && base.Words(e, look) is null) return words;
        return base.Words(e, look);
    }
}
