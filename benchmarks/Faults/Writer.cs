using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>Programs that write with an Idempotency-Key each, and remember what they were told.</summary>
sealed class Writer(PortalProcess portal, string prefix) : IDisposable
{
    const int Programs = 4;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(30);

    readonly ConcurrentDictionary<string, bool> confirmed = new();
    readonly CancellationTokenSource stop = new();
    Task running = Task.CompletedTask;

    public int Confirmed => confirmed.Count(c => c.Value);
    public int Uncertain => confirmed.Count(c => !c.Value);

    public void Start() => running = Task.WhenAll(Enumerable.Range(0, Programs).Select(Write));

    public async Task Stop()
    {
        await stop.CancelAsync();
        await running;
    }

    public void Dispose() => stop.Dispose();

    async Task Write(int program)
    {
        for (var number = 0; !stop.IsCancellationRequested; number++)
        {
            var name = $"{prefix} {program}-{number}";
            var status = await Send(name, stop.Token);
            // A refusal in so many words is no promise; everything else that is not a yes may have been saved.
            if (status is HttpStatusCode.Created) confirmed[name] = true;
            else if (status is not HttpStatusCode.TooManyRequests) confirmed[name] = false;
            await Task.Delay(Pause);
        }
    }

    /// <summary>What was left in doubt is sent once more with the key it had.</summary>
    /// <returns>How many could be settled so, and how many keys stay taken.</returns>
    public async Task<(int Settled, int Taken)> Settle()
    {
        var (settled, taken) = (0, 0);
        foreach (var name in confirmed.Where(c => !c.Value).Select(c => c.Key))
        {
            HttpStatusCode? status = null;
            await Wait.Until("a repeated write is answered", async () => (status = await Send(name, CancellationToken.None)) is HttpStatusCode.Created or HttpStatusCode.Conflict, 60);
            if (status == HttpStatusCode.Created)
            {
                confirmed[name] = true;
                settled++;
            }
            else taken++;
        }
        return (settled, taken);
    }

    /// <returns>How many confirmed writes are not there, and how many writes are there twice.</returns>
    public async Task<(int Lost, int Doubled)> Count()
    {
        var there = (await Monitors(portal)).Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).GroupBy(n => n).ToDictionary(g => g.Key, g => g.Count());
        return (confirmed.Count(c => c.Value && !there.ContainsKey(c.Key)), there.Count(t => t.Value > 1));
    }

    async Task<HttpStatusCode?> Send(string name, CancellationToken ct)
    {
        try
        {
            using var request = Request(HttpMethod.Post, "/api/v1/monitors");
            request.Headers.Add("Idempotency-Key", name.Replace(' ', '-'));
            request.Content = JsonContent.Create(new { name, kind = "http", target = "http://127.0.0.1:9/", intervalSeconds = 3600, paused = true, allowPrivate = true });
            using var answer = await portal.Http.SendAsync(request, ct);
            return answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException) { return null; }
    }

    /// <returns>The incident's id; null where it was not accepted.</returns>
    public static async Task<string?> Declare(PortalProcess portal, string title)
    {
        using var request = Request(HttpMethod.Post, "/api/v1/incidents");
        request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        request.Content = JsonContent.Create(new { title, severity = "P3", message = "Declared by the benchmark.", components = Array.Empty<object>() });
        using var answer = await portal.Http.SendAsync(request);
        return answer.IsSuccessStatusCode ? JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("id").GetString() : null;
    }

    public static async Task<List<string>> Monitors(PortalProcess portal)
    {
        var names = new List<string>();
        for (var next = ""; next is not null;)
        {
            var page = await Get(portal, $"/api/v1/monitors?limit=100{(next.Length > 0 ? $"&after={next}" : "")}");
            names.AddRange(page.GetProperty("items").EnumerateArray().Select(m => m.GetProperty("name").GetString()!));
            next = page.GetProperty("next").GetString();
        }
        return names;
    }

    public static async Task<JsonElement> Get(PortalProcess portal, string path)
    {
        using var request = Request(HttpMethod.Get, path);
        using var answer = await portal.Http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    static HttpRequestMessage Request(HttpMethod method, string path) => new(method, path) { Headers = { { "Authorization", $"Bearer {PortalProcess.ApiKey}" } } };
}
