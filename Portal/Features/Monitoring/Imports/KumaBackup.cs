using System.Globalization;
using System.Text.Json;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Features.Monitoring.Imports;

/// <summary>The JSON of Uptime Kuma's "Backup → Export", versions 1.x. Each monitor that there is a kind for, with what of it is otherwise here; never silently.</summary>
static class KumaBackup
{
    static readonly JsonDocumentOptions Bounded = new() { MaxDepth = 32 };

    /// <exception cref="DomainException">It is no such file.</exception>
    public static (IReadOnlyList<WantedMonitor> Monitors, IReadOnlyList<string> Notes) Read(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content, Bounded);
            return Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw ImportSource.Wrong($"The file is no JSON that can be read (line {e.LineNumber + 1}). Export it again.");
        }
        catch (InvalidOperationException)
        {
            // A text of the document that is no text: half of a surrogate pair.
            throw ImportSource.Wrong("The file contains what is no text. Export it again.");
        }
    }

    static (IReadOnlyList<WantedMonitor>, IReadOnlyList<string>) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("monitorList", out var list)) throw ImportSource.Wrong("This is no backup of Uptime Kuma: it has no \"monitorList\".");
        var version = root.TryGetProperty("version", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "";
        if (!version.StartsWith("1.", StringComparison.Ordinal))
            throw ImportSource.Wrong($"{(version.Length == 0 ? "The backup does not say which version wrote it" : $"The backup was written by version {MonitorCsv.Short(version)}")}; backups of Uptime Kuma 1.x are known. Version 2 has no such export: export from 1.23 before the upgrade, or use a table.");
        var count = list.ValueKind switch { JsonValueKind.Array => list.GetArrayLength(), JsonValueKind.Object => list.EnumerateObject().Take(ImportSource.MostMonitors + 1).Count(), _ => throw ImportSource.Wrong("\"monitorList\" is no list.") };
        if (count > ImportSource.MostMonitors) throw ImportSource.Wrong($"The backup has more than {ImportSource.MostMonitors:N0} monitors.");
        List<KumaMonitor> all = [.. (list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : list.EnumerateObject().Select(p => p.Value)).Select((element, i) => new KumaMonitor(element, i + 1))];
        var groups = new Dictionary<string, KumaMonitor>();
        foreach (var group in all.Where(m => m.IsGroup && m.Key is not null)) groups.TryAdd(group.Key!, group);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var wanted = all.Select(m => KumaMapping.Map(m, groups, names)).ToList();
        return (wanted, [.. NotesOn(root)]);
    }

    static IEnumerable<string> NotesOn(JsonElement root)
    {
        if (Length(root, "notificationList") is > 0 and var notifications) yield return $"{Count(notifications, "notification")} of the backup {(notifications == 1 ? "is" : "are")} not taken over: monitors here tell nobody by themselves yet.";
        if (Length(root, "proxyList") is > 0 and var proxies) yield return $"{Count(proxies, "proxy", "proxies")} of the backup {(proxies == 1 ? "is" : "are")} not taken over: checks connect directly.";
    }

    static string Count(int count, string one, string? many = null) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many ?? one + "s")}");

    static int Length(JsonElement root, string name) => root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.GetArrayLength() : 0;
}

/// <summary>One entry of the list. Versions write the same field as a number, a text or a flag.</summary>
sealed class KumaMonitor
{
    readonly Dictionary<string, JsonElement> fields = new(StringComparer.Ordinal);

    public KumaMonitor(JsonElement element, int position)
    {
        Position = position;
        IsObject = element.ValueKind == JsonValueKind.Object;
        if (!IsObject) return;
        foreach (var property in element.EnumerateObject()) fields[property.Name] = property.Value.Clone();
    }

    public int Position { get; }
    public bool IsObject { get; }
    public string? Key => Plain("id");
    public string? Parent => Plain("parent");
    public bool IsGroup => Plain("type") == "group";
    public string? Name => Plain("name");

    /// <summary>Empty is nothing.</summary>
    /// <exception cref="DomainException">It is no text.</exception>
    public string? Text(string name) => !fields.TryGetValue(name, out var value) || value.ValueKind is JsonValueKind.Null ? null : Plain(name) ?? (value.ValueKind is JsonValueKind.String ? null : throw Wrong(name, "a text"));

    /// <exception cref="DomainException">It is no number.</exception>
    public double? Number(string name) => Text(name) is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && Math.Abs(number) < 1e9 ? number : throw Wrong(name, "a number");

    public bool Flag(string name, bool otherwise = false) => !fields.TryGetValue(name, out var value) ? otherwise : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False or JsonValueKind.Null => false,
        _ => Plain(name) is not (null or "0" or "false"),
    };

    public IEnumerable<JsonElement> List(string name) => fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    public int Members(string name) => fields.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().Count() : 0;

    string? Plain(string name) => !fields.TryGetValue(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String when value.GetString() is { Length: > 0 } text => text,
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    static DomainException Wrong(string field, string what) => new($"In the backup its field \"{field}\" is not {what}.");
}
