using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Portal.Tests.Public;

public class StatusHubTests(PublishedPage page) : IClassFixture<PublishedPage>
{
    const char End = '\u001e';
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    async Task<ClientWebSocket> Connect(string language, string? origin = null)
    {
        var socket = new ClientWebSocket();
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin);
        using var patience = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(new UriBuilder(page.Host.Address) { Scheme = "ws", Path = "/hubs/status", Query = "language=" + language }.Uri, patience.Token);
        await Send(socket, "{\"protocol\":\"json\",\"version\":1}");
        return socket;
    }

    static Task Send(ClientWebSocket socket, string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text + End), WebSocketMessageType.Text, true, default);

    /// <summary>The argument of the first call of <paramref name="target"/> that satisfies the condition.</summary>
    static async Task<JsonElement> Hear(ClientWebSocket socket, string target, Func<JsonElement, bool>? condition = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, patience.Token);
            if (received.MessageType == WebSocketMessageType.Close) throw new InvalidOperationException("The hub closed the connection.");
            text.Append(Encoding.UTF8.GetString(buffer, 0, received.Count));
            if (!received.EndOfMessage) continue;
            foreach (var part in text.ToString().Split(End, StringSplitOptions.RemoveEmptyEntries))
            {
                var message = JsonDocument.Parse(part).RootElement;
                if (!message.TryGetProperty("target", out var name) || name.GetString() != target) continue;
                var argument = message.GetProperty("arguments")[0];
                if (condition?.Invoke(argument) != false) return argument;
            }
            text.Clear();
        }
    }

    async Task<JsonElement> Told(ClientWebSocket socket, string text)
    {
        while (true)
            if (await Hear(socket, "page") is var message && (await Fragments(message)).Contains(text, StringComparison.Ordinal)) return message;
    }

    async Task<string> Fragments(JsonElement message)
    {
        if (message.TryGetProperty("fragments", out var fragments)) return fragments.ToString();
        using var client = page.Host.Client();
        using var response = await client.GetAsync(new Uri(message.GetProperty("url").GetString()!, UriKind.Relative));
        Assert.Contains("immutable", response.Headers.CacheControl!.ToString() + string.Join(",", response.Headers.NonValidated["Cache-Control"]));
        return await response.Content.ReadAsStringAsync();
    }

    [Fact]
    public async Task An_open_page_is_told_of_an_incident_within_a_second_in_its_language()
    {
        using var english = await Connect("en");
        using var german = await Connect("de");
        var version = (await Hear(english, "now")).GetInt64();
        await Hear(german, "now");
        Assert.True(version > 100_000_000);

        var listening = (Told(english, "Search is gone"), Told(german, "Search is gone"));
        await page.Declare("Search is gone", "search-hub");
        var declared = TimeProvider.System.GetTimestamp();
        var (inEnglish, inGerman) = (await listening.Item1, await listening.Item2);
        Assert.InRange(TimeProvider.System.GetElapsedTime(declared), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.True(inEnglish.GetProperty("version").GetInt64() > version);
        Assert.InRange(inEnglish.GetProperty("base").GetInt64(), version, inEnglish.GetProperty("version").GetInt64() - 1);
        Assert.InRange(inEnglish.GetProperty("changedAt").GetInt64(), TimeProvider.System.GetUtcNow().AddMinutes(-1).ToUnixTimeMilliseconds(), TimeProvider.System.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds());
        Assert.Contains("Investigating", await Fragments(inEnglish));
        Assert.Contains("Wird untersucht", await Fragments(inGerman));
        Assert.DoesNotContain("INTERNAL", await Fragments(inEnglish));
        Assert.True(Encoding.UTF8.GetByteCount(inEnglish.ToString()) <= 16 * 1024);
    }

    [Fact]
    public async Task What_is_too_large_to_be_sent_is_fetched_from_an_address_that_never_changes()
    {
        using var socket = await Connect("en");
        await Hear(socket, "now");
        var listening = Hear(socket, "page", m => m.TryGetProperty("url", out _));
        await using (var db = page.Host.Database.Open())
        {
            var now = TimeProvider.System.GetUtcNow();
            for (var i = 0; i < 60; i++) db.Add(new Portal.Domain.StatusPages.Component($"Part {i}", $"part-{i}", new string('x', 300), null, i, now));
            await db.SaveChangesAsync();
        }
        var message = await listening;
        Assert.Equal($"/live/{message.GetProperty("version").GetInt64()}/en", message.GetProperty("url").GetString());
        Assert.Contains("Part 59", await Fragments(message));
    }

    [Fact]
    public async Task Another_sites_script_is_not_let_in_and_our_own_is()
    {
        using var own = await Connect("en", "https://status.example");
        Assert.True((await Hear(own, "now")).GetInt64() > 0);
        using var same = await Connect("en", page.Host.Address.GetLeftPart(UriPartial.Authority));
        Assert.True((await Hear(same, "now")).GetInt64() > 0);
        await Assert.ThrowsAsync<WebSocketException>(() => Connect("en", "https://evil.example"));
    }

    [Fact]
    public async Task A_client_may_say_little()
    {
        using var socket = await Connect("en");
        await Hear(socket, "now");
        await Send(socket, "{\"type\":1,\"target\":\"Now\",\"arguments\":[\"" + new string('x', 2_000) + "\"]}");
        await Assert.ThrowsAnyAsync<Exception>(() => Hear(socket, "never"));
        Assert.NotEqual(WebSocketState.Open, socket.State);
    }

    [Fact]
    public async Task There_is_no_other_transport()
    {
        using var client = page.Host.Client();
        using var response = await client.GetAsync(new Uri("/hubs/status", UriKind.Relative));
        Assert.False(response.IsSuccessStatusCode);
    }
}
