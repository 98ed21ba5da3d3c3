using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Portal.Tests.Redis;

/// <summary>A customer's open page at one node, as far as its connection to the hub goes.</summary>
sealed class OpenPage(Uri node) : IDisposable
{
    const char End = '\u001e';
    readonly ClientWebSocket socket = new();
    readonly HttpClient client = new() { BaseAddress = node };

    public static async Task<OpenPage> At(Uri node)
    {
        var page = new OpenPage(node);
        await page.socket.ConnectAsync(new UriBuilder(node) { Scheme = "ws", Path = "/hubs/status", Query = "language=en" }.Uri, default);
        await page.socket.SendAsync(Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}" + End), WebSocketMessageType.Text, true, default);
        await page.Next("now");
        return page;
    }

    /// <summary>Until the page reads so.</summary>
    public async Task Shows(string text)
    {
        while (true)
        {
            var message = await Next("page");
            var shown = message.TryGetProperty("fragments", out var fragments) ? fragments.ToString() : await client.GetStringAsync(new Uri(message.GetProperty("url").GetString()!, UriKind.Relative));
            if (shown.Contains(text, StringComparison.Ordinal)) return;
        }
    }

    async Task<JsonElement> Next(string target)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            var (text, buffer) = (new StringBuilder(), new byte[64 * 1024]);
            WebSocketReceiveResult received;
            do text.Append(Encoding.UTF8.GetString(buffer, 0, (received = await socket.ReceiveAsync(buffer, patience.Token)).Count));
            while (!received.EndOfMessage);
            foreach (var part in text.ToString().Split(End, StringSplitOptions.RemoveEmptyEntries))
                if (JsonDocument.Parse(part).RootElement is var message && message.TryGetProperty("target", out var name) && name.GetString() == target) return message.GetProperty("arguments")[0];
        }
    }

    public void Dispose()
    {
        socket.Dispose();
        client.Dispose();
    }
}
