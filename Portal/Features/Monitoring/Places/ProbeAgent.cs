using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Api;
using Portal.Domain.Monitoring;
using Portal.Features.Monitoring.Engine;
using Portal.Infrastructure.Monitoring;

namespace Portal.Features.Monitoring.Places;

/// <summary>
/// The program at another place: asks the portal what to look at, looks, and reports. While the portal is away it goes on with what it knows, and keeps
/// a bounded number of findings. Nothing that it says depends on what time its machine believes it is.
/// </summary>
public sealed class ProbeAgent(HttpClient server, IEnumerable<IProbe> probes, string version, TimeProvider clock, ILogger log) : IDisposable
{
    /// <summary>So many findings wait for the portal; beyond them the oldest are given up, and counted.</summary>
    public const int MostWaiting = 10_000;
    const int ChecksAtOnce = 1_000;
    /// <summary>Well below what the portal takes as one body, and what is usual for a proxy in front of it.</summary>
    const int MostBytes = 512 * 1024;
    /// <summary>So long findings are gathered until one report tells of them; a full one goes at once.</summary>
    static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);
    static readonly TimeSpan FirstCheckWithin = TimeSpan.FromSeconds(2);
    // A newer portal may say more than this program knows. What is no ASCII takes two or three bytes, not six.
    static readonly JsonSerializerOptions Json = new(ApiJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly Dictionary<MonitorKind, IProbe> probes = probes.ToDictionary(p => p.Kind);
    readonly Guid session = Guid.CreateVersion7(clock.GetUtcNow());
    readonly Lock gate = new();
    readonly LinkedList<Waiting> waiting = new();
    readonly Dictionary<MonitorId, (ProbesApi.WorkItem Item, CancellationTokenSource Stop)> looking = [];
    readonly SemaphoreSlim slots = new(ChecksAtOnce);
    readonly Bell found = new(clock), full = new(clock);
    readonly HashSet<string> skipped = [];
    readonly Random random = new();
    long sequence, dropped;
    int atOnce = FindingsInbox.AtOnce;
    string? tag;
    volatile bool known;

    /// <summary>As <see cref="ProbesApi.WorkAnswer"/>, each monitor still unread: one that this program does not understand is no reason to refuse the others.</summary>
    sealed record WorkGiven(string Place, string Tag, double AskAgainSeconds, IReadOnlyList<JsonElement>? Monitors);

    sealed record Waiting(long Sequence, long Began, ProbesApi.FindingBody Body);

    /// <summary>Monitors that it looks at.</summary>
    public int Looking { get { lock (gate) return looking.Count; } }

    /// <summary>Findings that the portal does not have yet.</summary>
    public int WaitingFindings { get { lock (gate) return waiting.Count; } }

    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Until it is told to stop.</summary>
    public async Task Run(CancellationToken ct)
    {
        try
        {
            await Task.WhenAll(Again(Ask, "asking for work", ct), Again(Report, "reporting", ct));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
        finally
        {
            Follow([], ct);
        }
    }

    /// <summary>One thing over and over, more slowly while it fails; said once when it begins to fail and once when it works again.</summary>
    async Task Again(Func<CancellationToken, Task<TimeSpan>> act, string what, CancellationToken ct)
    {
        for (var failed = 0; ;)
        {
            TimeSpan pause;
            try
            {
                pause = await act(ct);
                if (failed > 0) log.LogInformation("{What} works again", what);
                failed = 0;
            }
            catch (Exception e) when (!ct.IsCancellationRequested && e is HttpRequestException or JsonException or OperationCanceledException)
            {
                if (failed++ == 0) log.LogWarning("{What} failed, and is tried again: {Reason}", what, e.Message);
                pause = TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, 1 << Math.Min(failed, 5)));
            }
            if (pause > TimeSpan.Zero) await Task.Delay(pause, clock, ct);
        }
    }

    async Task<TimeSpan> Ask(CancellationToken ct)
    {
        var work = await Post<WorkGiven>("work", JsonSerializer.SerializeToUtf8Bytes(new ProbesApi.WorkRequest(session, version, clock.GetUtcNow(), Dropped, tag), Json), ct);
        if (!known) log.LogInformation("This place is {Place}", work.Place);
        known = true;
        if (work.Monitors is { } monitors)
        {
            Follow([.. monitors.Select(Understood).OfType<ProbesApi.WorkItem>()], ct);
            tag = work.Tag;
            log.LogInformation("Looking at {Count} monitors", Looking);
        }
        found.Ring();
        return TimeSpan.FromSeconds(Math.Clamp(work.AskAgainSeconds, 1, 60));
    }

    /// <returns>Null for a monitor of a kind, or with settings, that only a newer program knows; that is said once for each kind.</returns>
    ProbesApi.WorkItem? Understood(JsonElement given)
    {
        try
        {
            if (given.Deserialize<ProbesApi.WorkItem>(Json) is { } item && probes.ContainsKey(item.Kind)) return item;
        }
        catch (JsonException e)
        {
            log.LogDebug(e, "A monitor cannot be read");
        }
        var kind = given.ValueKind == JsonValueKind.Object && given.TryGetProperty("kind", out var word) && word.ValueKind == JsonValueKind.String ? word.GetString()! : "unknown";
        if (skipped.Add(kind)) log.LogWarning("This program is older than the portal and does not look at some monitors of kind {Kind}: bring it to the portal's version", kind);
        return null;
    }

    void Follow(IReadOnlyList<ProbesApi.WorkItem> monitors, CancellationToken ct)
    {
        lock (gate)
        {
            var wanted = monitors.ToDictionary(m => m.Id);
            foreach (var (id, (item, stop)) in looking.ToList())
            {
                if (wanted.TryGetValue(id, out var same) && (same.Look, same.IntervalSeconds, same.TimeoutSeconds, same.AllowPrivate) == (item.Look, item.IntervalSeconds, item.TimeoutSeconds, item.AllowPrivate))
                {
                    wanted.Remove(id);
                    continue;
                }
                stop.Cancel();
                stop.Dispose();
                looking.Remove(id);
            }
            foreach (var item in wanted.Values)
            {
                var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
                looking[item.Id] = (item, stop);
                _ = LookAt(item, stop.Token);
            }
        }
    }

    async Task LookAt(ProbesApi.WorkItem item, CancellationToken ct)
    {
        var (interval, began) = (TimeSpan.FromSeconds(item.IntervalSeconds), clock.GetTimestamp());
        var due = Spread(interval < FirstCheckWithin ? interval : FirstCheckWithin);
        try
        {
            while (true)
            {
                var rest = due - clock.GetElapsedTime(began);
                if (rest > TimeSpan.Zero) await Task.Delay(rest, clock, ct);
                await LookOnce(item, ct);
                // Turns that were missed are left out.
                do due += interval; while (due < clock.GetElapsedTime(began));
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested) { }
    }

    async Task LookOnce(ProbesApi.WorkItem item, CancellationToken ct)
    {
        await slots.WaitAsync(ct);
        try
        {
            var began = clock.GetTimestamp();
            var request = new ProbeRequest(item.Id, new Uri(item.Target), false, item.AllowPrivate, TimeSpan.FromSeconds(item.TimeoutSeconds), StatusRanges.Parse(item.ExpectStatus), item.Options) { Secrets = item.Secrets };
            var answer = await probes[item.Kind].Look(request, ct);
            Keep(began, new(0, item.Id, 0, answer.Duration.TotalMilliseconds, answer.Outcome, answer.StatusCode, answer.Detail, item.Look));
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            log.LogError(e, "A check of monitor {Monitor} failed by a fault of this program", item.Id);
        }
        finally
        {
            slots.Release();
        }
    }

    void Keep(long began, ProbesApi.FindingBody body)
    {
        bool isFull;
        lock (gate)
        {
            waiting.AddLast(new Waiting(++sequence, began, body));
            if (waiting.Count > MostWaiting)
            {
                waiting.RemoveFirst();
                Interlocked.Increment(ref dropped);
            }
            isFull = waiting.Count >= FindingsInbox.AtOnce;
        }
        found.Ring();
        if (isFull) full.Ring();
    }

    async Task<TimeSpan> Report(CancellationToken ct)
    {
        if (!known || WaitingFindings == 0)
        {
            await found.Wait(ct);
            return TimeSpan.Zero;
        }
        if (WaitingFindings < atOnce) await full.Wait(Gathering, ct);
        var (some, body) = Oldest();
        try
        {
            var answer = await Post<ProbesApi.FindingsAnswer>("findings", body, ct);
            Forget(answer.LastSequence);
            atOnce = Math.Min(FindingsInbox.AtOnce, atOnce * 2);
        }
        catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity or HttpStatusCode.InternalServerError)
        {
            // One of them may be to blame: fewer are sent, until it stands alone.
            var isFault = e.StatusCode == HttpStatusCode.InternalServerError;
            atOnce = Math.Max(1, some.Count / 2);
            if (some.Count == 1 && (!isFault || clock.GetElapsedTime(some[0].Began) > ProbePlace.OldestResult)) GiveUp(some[0], e.Message);
            else if (isFault) throw;
        }
        return TimeSpan.Zero;
    }

    /// <summary>As many as fit.</summary>
    (List<Waiting> Some, byte[] Body) Oldest()
    {
        while (true)
        {
            List<Waiting> some;
            lock (gate) some = [.. waiting.Take(atOnce)];
            var body = JsonSerializer.SerializeToUtf8Bytes(new ProbesApi.FindingsRequest(session, [.. some.Select(w => w.Body with { Sequence = w.Sequence, AgeMilliseconds = clock.GetElapsedTime(w.Began).TotalMilliseconds })]), Json);
            if (body.Length <= MostBytes || some.Count <= 1) return (some, body);
            atOnce = some.Count / 2;
        }
    }

    int Forget(long upTo)
    {
        lock (gate)
        {
            var before = waiting.Count;
            while (waiting.First is { } first && first.Value.Sequence <= upTo) waiting.RemoveFirst();
            return before - waiting.Count;
        }
    }

    void GiveUp(Waiting one, string why)
    {
        log.LogWarning("A finding of monitor {Monitor} is given up: {Reason}", one.Body.Monitor, why);
        Interlocked.Add(ref dropped, Forget(one.Sequence));
    }

    async Task<T> Post<T>(string path, byte[] body, CancellationToken ct)
    {
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") } };
        using var answer = await server.PostAsync($"api/v1/probe/{path}", content, ct);
        if (answer.IsSuccessStatusCode) return await answer.Content.ReadFromJsonAsync<T>(Json, ct) ?? throw new JsonException("The portal answered nothing.");
        throw new HttpRequestException(answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => "the portal does not know the key, or it was revoked",
            HttpStatusCode.Forbidden => "the key lacks the scope probes:run",
            HttpStatusCode.Conflict => "another program runs with this key: give each place a key of its own",
            HttpStatusCode.NotFound => "there is no portal of this version at that address",
            _ => $"the portal answered {(int)answer.StatusCode}",
        }, null, answer.StatusCode);
    }

    public void Dispose() => slots.Dispose();

    TimeSpan Spread(TimeSpan over) { lock (random) return over * random.NextDouble(); }
}
