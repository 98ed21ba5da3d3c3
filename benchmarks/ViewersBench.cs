using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>Open pages: raw WebSockets on the public hub, held by this process beside the portal. How long from posting an incident until each has heard.</summary>
static class ViewersBench
{
    const int Viewers = 2_000, Posts = 5;

    public static async Task<IReadOnlyList<Figure>> Run(PortalProcess portal)
    {
        var before = ResidentBytes(portal.Pid);
        var viewers = new List<Viewer>();
        try
        {
            foreach (var batch in Enumerable.Range(0, Viewers).Chunk(100)) viewers.AddRange(await Task.WhenAll(batch.Select(_ => Viewer.Connect(portal.Url))));
            await Task.Delay(3_000);
            var open = ResidentBytes(portal.Pid);
            var latencies = new List<double>();
            var cpu = Process.GetCurrentProcess().TotalProcessorTime;
            var clock = Stopwatch.StartNew();
            for (var post = 0; post < Posts; post++) latencies.AddRange(await PostAndHear(portal, viewers, post));
            var busy = (Process.GetCurrentProcess().TotalProcessorTime - cpu) / clock.Elapsed;
            latencies.Sort();
            return
            [
                Figure.Note("viewers on one node", $"{viewers.Count(v => v.IsOpen):N0}", $"{Viewers:N0} asked for"),
                Figure.Note("incident posted → received: p50", $"{Figure.Number(latencies[latencies.Count / 2])} ms"),
                Figure.AtMost("incident posted → received: p99", latencies[(int)(latencies.Count * 0.99)], 1_000, " ms"),
                Figure.AtMost("incident posted → received: never heard", Viewers * Posts - latencies.Count, 0, ""),
                Figure.Note("memory of the portal per viewer", $"{Figure.Number((open - before) / 1024.0 / Viewers)} KiB", $"{before / 1024 / 1024:N0} → {open / 1024 / 1024:N0} MiB"),
                Figure.Note("processors kept busy by the viewers", Figure.Number(busy)),
            ];
        }
        finally
        {
            foreach (var viewer in viewers) viewer.Dispose();
        }
    }

    static async Task<IEnumerable<double>> PostAndHear(PortalProcess portal, List<Viewer> viewers, int post)
    {
        // What an earlier change still sends has arrived before the clock starts.
        await Task.Delay(1_500);
        var title = $"Measured incident {post} {Guid.CreateVersion7():n}";
        foreach (var viewer in viewers) viewer.Expect(title);
        var posted = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/incidents")
        {
            Headers = { { "Authorization", $"Bearer {PortalProcess.ApiKey}" } },
            Content = JsonContent.Create(new { title, severity = "P2", message = "Posted by the benchmark.", components = Array.Empty<object>() }),
        };
        using var answer = await portal.Http.SendAsync(request);
        if (!answer.IsSuccessStatusCode) throw new InvalidOperationException($"The incident was not accepted: {await answer.Content.ReadAsStringAsync()}");
        var deadline = Task.Delay(10_000);
        await Task.WhenAny(Task.WhenAll(viewers.Select(v => v.Heard)), deadline);
        var heard = new List<double>();
        foreach (var viewer in viewers.Where(v => v.Heard.IsCompletedSuccessfully)) heard.Add(Stopwatch.GetElapsedTime(posted, await viewer.Heard).TotalMilliseconds);
        var id = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString();
        using var resolve = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/incidents/{id}/updates")
        {
            Headers = { { "Authorization", $"Bearer {PortalProcess.ApiKey}" } },
            Content = JsonContent.Create(new { status = "resolved", message = "Over.", visibility = "public" }),
        };
        (await portal.Http.SendAsync(resolve)).EnsureSuccessStatusCode();
        return heard;
    }

    public static long ResidentBytes(int pid) => File.ReadLines($"/proc/{pid}/status").Where(l => l.StartsWith("VmRSS:", StringComparison.Ordinal))
        .Select(l => long.Parse(l.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024).Single();
}
