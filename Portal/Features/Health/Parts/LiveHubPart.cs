using System.Net.WebSockets;

namespace Portal.Features.Health.Parts;

/// <summary>A connection to the public hub opens and shakes hands.</summary>
sealed class LiveHubPart(SelfCall self, TimeProvider clock) : IHealthPart
{
    // SignalR's handshake: JSON and a record separator each way.
    static readonly byte[] Hello = [.. "{\"protocol\":\"json\",\"version\":1}"u8, 0x1e];

    public string Name => "live-hub";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        var asked = clock.GetTimestamp();
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = SelfCall.Any;
        var address = new UriBuilder(self.At("/hubs/status"));
        address.Scheme = address.Scheme == "https" ? "wss" : "ws";
        await socket.ConnectAsync(address.Uri, ct);
        await socket.SendAsync(Hello, WebSocketMessageType.Text, true, ct);
        var buffer = new byte[512];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), ct);
        var milliseconds = Math.Round(clock.GetElapsedTime(asked).TotalMilliseconds, 2);
        // An empty object, then the separator; anything else names an error.
        if (received.Count < 3 || !buffer.AsSpan(0, 3).SequenceEqual("{}\u001e"u8)) return PartReport.Failing("The hub refused the handshake.");
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, ct);
        return PartReport.Ok(("handshakeMilliseconds", milliseconds));
    }
}
