using System.Net.WebSockets;
using Portal.Tests.Support;

namespace Portal.Tests.Public;

public class LiveLimitTests
{
    const int Most = 3;

    [Fact]
    public async Task Beyond_as_many_viewers_as_are_allowed_pages_poll_and_a_place_that_is_left_is_free_again()
    {
        await using var host = await PortalHost.Start(new() { ["Live:MostViewers"] = $"{Most}" });
        var open = new Stack<ClientWebSocket>();
        // The portal's own look at its hub may hold a place for a moment.
        var refused = await Assert.ThrowsAsync<WebSocketException>(async () =>
        {
            while (open.Count <= Most) open.Push(await Connect(host));
        });
        Assert.Contains("503", refused.Message, StringComparison.Ordinal);
        using (var left = open.Pop()) await left.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        var deadline = TimeProvider.System.GetTimestamp();
        while (await Tried(host) is null)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(deadline) < TimeSpan.FromSeconds(20), "the place was not free again");
            await Task.Delay(50);
        }
        foreach (var socket in open) socket.Dispose();
    }

    static async Task<ClientWebSocket?> Tried(PortalHost host)
    {
        try
        {
            return await Connect(host);
        }
        catch (WebSocketException) { return null; }
    }

    static async Task<ClientWebSocket> Connect(PortalHost host)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(host.Address) { Scheme = "ws", Path = "/hubs/status", Query = "language=en" }.Uri, default);
        return socket;
    }
}
