using Microsoft.Playwright;

namespace Portal.E2E.Support;

/// <summary>What a first visit costs, as the browser counts it: compressed bytes of every answer with its head, and how many requests.</summary>
sealed record FirstLoad(int Requests, long Bytes, IReadOnlyList<string> Addresses)
{
    public static async Task<FirstLoad> Of(IPage page, string path)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Network.enable");
        await session.SendAsync("Network.setCacheDisabled", new Dictionary<string, object> { ["cacheDisabled"] = true });
        var addresses = new Dictionary<string, string>();
        long bytes = 0;
        session.Event("Network.requestWillBeSent").OnEvent += (_, e) => addresses[e!.Value.GetProperty("requestId").GetString()!] = e.Value.GetProperty("request").GetProperty("url").GetString()!;
        session.Event("Network.loadingFinished").OnEvent += (_, e) => bytes += e!.Value.GetProperty("encodedDataLength").GetInt64();
        await page.GotoAsync(path, new() { WaitUntil = WaitUntilState.NetworkIdle });
        var own = addresses.Values.Where(a => !a.StartsWith("data:", StringComparison.Ordinal)).ToList();
        return new FirstLoad(own.Count, bytes, own);
    }
}
