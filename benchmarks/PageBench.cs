using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>The published status page against nginx with the same bytes: rounds alternate, so that what else the machine does hits both.</summary>
static class PageBench
{
    const int Seconds = 5, Rounds = 3;

    public static async Task<IReadOnlyList<Figure>> Run(PortalProcess portal)
    {
        var (components, incidents) = await AtLeastThreeIncidents(portal);
        var (page, _) = await Fetch(portal.Url + "/", "identity");
        var (compressed, _) = await Fetch(portal.Url + "/", "gzip");
        await using var nginx = await Nginx.Serving(page, compressed);
        var figures = new List<Figure>
        {
            Figure.Note("page: components, days, open incidents", $"{components}, 90, {incidents}"),
            Figure.Note("page: bytes, gzip", $"{page.Length:N0} → {compressed.Length:N0}"),
        };
        foreach (var connections in new[] { 64, 1_000 })
        {
            figures.AddRange(await Compare($"page, {connections:N0} connections", portal, nginx, connections, false, false));
            figures.AddRange(await Compare($"page ?x=random, {connections:N0} connections", portal, nginx, connections, false, true));
        }
        figures.AddRange(await Compare("304 answers, 64 connections", portal, nginx, 64, true, false));
        return figures;
    }

    static async Task<(int Components, int Incidents)> AtLeastThreeIncidents(PortalProcess portal)
    {
        for (var open = (await Summary(portal)).Incidents; open < 3; open++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/incidents")
            {
                Headers = { { "Authorization", $"Bearer {PortalProcess.ApiKey}" } },
                Content = JsonContent.Create(new { title = $"Orders are slow in region {open}", severity = "P2", message = "Some orders take up to a minute. We know why and are working on it.", components = Array.Empty<object>() }),
            };
            (await portal.Http.SendAsync(request)).EnsureSuccessStatusCode();
        }
        await Wait.Until("the incidents are on the page", async () => (await Summary(portal)).Incidents >= 3);
        return await Summary(portal);
    }

    static async Task<(int Components, int Incidents)> Summary(PortalProcess portal)
    {
        var summary = JsonDocument.Parse(await portal.Http.GetStringAsync("/api/v2/summary.json")).RootElement;
        return (summary.GetProperty("components").EnumerateArray().Count(c => !c.GetProperty("group").GetBoolean()), summary.GetProperty("incidents").GetArrayLength());
    }

    static async Task<IReadOnlyList<Figure>> Compare(string name, PortalProcess portal, Nginx nginx, int connections, bool known, bool randomQuery)
    {
        var (ours, theirs) = (new List<Load>(), new List<Load>());
        await Wrk.Run(portal.Url + "/", connections, 2, known ? (await Fetch(portal.Url + "/", "gzip")).ETag : null, randomQuery);
        for (var round = 0; round < Rounds; round++)
        {
            theirs.Add(await Round(nginx.Url, connections, known, randomQuery));
            ours.Add(await Round(portal.Url + "/", connections, known, randomQuery));
        }
        var figures = new List<Figure>
        {
            Figure.AtLeast($"{name}: requests/s", Median(ours, l => l.PerSecond), Median(theirs, l => l.PerSecond), 0.6, ""),
            Figure.AtMostTimes($"{name}: p99", Median(ours, l => l.P99), Median(theirs, l => l.P99), 3, " ms"),
            Figure.AtMost($"{name}: errors", ours.Sum(l => l.Errors), 0, ""),
            Figure.Note($"{name}: processors kept busy by wrk", Figure.Number(Median(ours, l => l.GeneratorCpu)), Figure.Number(Median(theirs, l => l.GeneratorCpu))),
        };
        // A whole page among them would mean that something else was measured.
        if (known) figures.Add(Figure.AtMost($"{name}: bytes each", Math.Ceiling(ours.Max(l => l.BytesEach)), 512, ""));
        return figures;
    }

    /// <summary>The page changes with each minute and each incident: a round of 304 answers in which it did measured whole pages, and is done again.</summary>
    static async Task<Load> Round(string url, int connections, bool known, bool randomQuery)
    {
        if (!known) return await Wrk.Run(url, connections, Seconds, null, randomQuery);
        for (var attempt = 0; attempt < 12; attempt++)
        {
            var (_, etag) = await Fetch(url, "gzip");
            var load = await Wrk.Run(url, connections, Seconds, etag, randomQuery);
            if ((await Fetch(url, "gzip")).ETag == etag) return load;
        }
        throw new InvalidOperationException($"{url} changed in each of twelve rounds.");
    }

    static double Median(List<Load> loads, Func<Load, double> of) => loads.Select(of).Order().ElementAt(loads.Count / 2);

    static async Task<(byte[] Body, string? ETag)> Fetch(string url, string encoding)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = System.Net.DecompressionMethods.None });
        using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { { "Accept-Encoding", encoding }, { "Accept-Language", "en" } } };
        using var answer = await http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadAsByteArrayAsync(), answer.Headers.ETag?.ToString());
    }
}
