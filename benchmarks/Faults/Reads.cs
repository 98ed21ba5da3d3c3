using System.Diagnostics;
using System.Net;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>What visitors and scripts ask of a portal, and what they got.</summary>
static class Reads
{
    public static readonly string[] Public =
    [
        "/", "/de/", "/en/", "/history", "/de/history", "/history.rss", "/history.atom", "/badge/overall.svg", "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json",
        "/api/v2/incidents/unresolved.json", "/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json", "/health/live", "/health/ready", "/health",
    ];

    public static readonly string[] Management = ["/api/v1/components", "/api/v1/incidents", "/api/v1/monitors", "/api/v1/people"];

    public static readonly string[] Screens = ["/login", "/ops", "/ops/incidents", "/admin/components"];

    public sealed record Answer(string Path, HttpStatusCode Status, TimeSpan Took, bool SaysWhy);

    public static async Task<IReadOnlyList<Answer>> All(PortalProcess portal, IEnumerable<string> paths)
    {
        var answers = new List<Answer>();
        foreach (var path in paths)
        {
            var clock = Stopwatch.StartNew();
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept-Language", "en" } } };
            if (path.StartsWith("/api/v1", StringComparison.Ordinal)) request.Headers.Add("Authorization", $"Bearer {PortalProcess.ApiKey}");
            using var answer = await portal.Http.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            answers.Add(new(path, answer.StatusCode, clock.Elapsed, body.Contains("database", StringComparison.OrdinalIgnoreCase) && !body.Contains("   at ", StringComparison.Ordinal)));
        }
        return answers;
    }

    public static bool AreGood(IEnumerable<Answer> answers) => answers.All(a => a.Status == HttpStatusCode.OK);

    /// <summary>The addresses whose answer was not as it must be, for whoever reads the table.</summary>
    public static string Others(IEnumerable<Answer> answers, Func<Answer, bool> isGood)
    {
        var bad = answers.Where(a => !isGood(a)).Select(a => $"{a.Path} {(int)a.Status}").Distinct().ToList();
        return bad.Count == 0 ? "none" : string.Join(", ", bad);
    }
}
