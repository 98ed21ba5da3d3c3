using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Portal.Public;

namespace Portal.Live;

/// <summary>What open pages are told: the parts that changed since <see cref="Base"/>, or where to fetch them.</summary>
/// <param name="Base">A page older than this missed something and asks for the whole.</param>
/// <param name="ChangedAt">When the database changed, in milliseconds: a page of a higher version but an earlier change is of a database that was replaced.</param>
public sealed record LiveMessage(long Version, long Base, long ChangedAt, IReadOnlyDictionary<string, string>? Fragments, string? Url);

/// <summary>Tells the open front pages what changed, rendered and serialised once for a language.</summary>
public sealed class LivePages(IHubContext<StatusHub> hub, ILogger<LivePages> log)
{
    public const int LargestMessage = 16 * 1024;
    const int Kept = 32;

    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    readonly ConcurrentDictionary<string, LivePage> current = new();
    readonly ConcurrentDictionary<string, PublishedBytes> fetchable = new();
    readonly ConcurrentQueue<string> order = new();

    public long Current(string language) => current.TryGetValue(language, out var page) ? page.Version : 0;

    /// <summary>The immutable document behind a message that was too large to be sent.</summary>
    public PublishedBytes? Find(string path) => fetchable.GetValueOrDefault(path);

    /// <summary>Returns at once: a slow reader must not hold up the next rendering.</summary>
    public void Show(LivePage page)
    {
        var before = current.GetValueOrDefault(page.Language);
        // Shown in order: a version that falls is that of a restored database, and is the truth now.
        current[page.Language] = page;
        if (before is null) return;
        var changed = page.ChangedSince(before);
        if (changed.Count == 0) return;
        var message = new LiveMessage(page.Version, before.Version, page.ChangedAt, changed, null);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(message, Json);
        if (bytes.Length > LargestMessage) message = Fetchable(page, message, bytes);
        _ = Send(page.Language, message);
    }

    LiveMessage Fetchable(LivePage page, LiveMessage message, byte[] bytes)
    {
        var path = $"/live/{page.Version}/{page.Language}";
        fetchable[path] = new PublishedBytes(new PublishedDocument(path, "application/json", bytes, new Dictionary<string, string> { ["Cache-Control"] = PublicAssets.CacheForever }));
        order.Enqueue(path);
        while (order.Count > Kept && order.TryDequeue(out var oldest)) fetchable.TryRemove(oldest, out _);
        return message with { Fragments = null, Url = path };
    }

    async Task Send(string language, LiveMessage message)
    {
        try
        {
            await hub.Clients.Group(language).SendAsync(StatusHub.Page, message);
        }
        catch (Exception e)
        {
            // Pages find out by asking; the publisher goes on.
            log.LogError(e, "Open pages could not be told of version {Version}", message.Version);
        }
    }
}
