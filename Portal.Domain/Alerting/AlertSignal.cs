using System.Text.Json;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Domain.Alerting;

/// <summary>What a source says of an alert.</summary>
public enum SignalAction { Trigger, Acknowledge, Resolve }

/// <summary>A name and a value by which alerts are routed, silenced and found.</summary>
public readonly record struct AlertLabel(string Name, string Value);

/// <summary>What a source said once, brought into bounds: a rule, a monitor, another system, a person. It is stored before it is answered and becomes an alert, or a part of one, afterwards.</summary>
/// <param name="Key">Open alerts of a service with the same key are one.</param>
/// <param name="Source">What it is about, as its sender names it: a host, a monitor.</param>
/// <param name="Details">JSON of the sender's own; null where there is none.</param>
/// <param name="Link">Where the sender shows it; http or https.</param>
/// <param name="At">When it happened by the sender's clock; null where it does not say.</param>
/// <param name="IsTest">Of an alert test: labelled everywhere, and in no figure.</param>
/// <param name="By">Who raised it by hand, or which program.</param>
public sealed record AlertSignal(SignalAction Action, string Key, Severity Severity, string Summary, string Source, Listed<AlertLabel> Labels,
    string? Details = null, string? Link = null, DateTimeOffset? At = null, bool IsTest = false, string? By = null, AlertRuleId? Rule = null, MonitorId? Monitor = null)
{
    public const int KeyLength = 255, SummaryLength = 1_024, SourceLength = 255, DetailsLength = 16_000, LinkLength = 2_000;
    public const int MostLabels = 64, LabelLength = 255;

    /// <summary>The same within its bounds: too long is cut, since a page must not be lost over a long text; a key that is too long is told apart from others by a hash of it. What it holds then can be stored.</summary>
    public AlertSignal Bounded() => this with
    {
        Key = Short(Storable(Key)),
        Summary = Cut(Storable(Summary), SummaryLength),
        Source = Cut(Storable(Source), SourceLength),
        Labels = new(Labels.Take(MostLabels).Select(l => new AlertLabel(Cut(Storable(l.Name), LabelLength), Cut(Storable(l.Value), LabelLength)))),
        Details = StorableJson(Details),
        Link = Link is { Length: <= LinkLength } link && Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" ? Storable(link) : null,
        By = By is null ? null : Cut(Storable(By), Text.NameLength),
    };

    static string Short(string key) => key.Length <= KeyLength ? key
        : $"{Storable(key[..(KeyLength - 65)])}#{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(key)))}";

    /// <summary>One line that PostgreSQL can store: no control characters, no half characters.</summary>
    static string Storable(string text)
    {
        var plain = true;
        foreach (var c in text) plain &= c is >= ' ' and < '\u007f' or > '\u009f' && !char.IsSurrogate(c);
        return plain ? text.Trim() : string.Concat(text.EnumerateRunes().Select(r => System.Text.Rune.IsControl(r) ? " " : r.ToString())).Trim();
    }

    /// <summary>The same document as PostgreSQL can store it; null for what is none, or too long.</summary>
    static string? StorableJson(string? json)
    {
        if (json is null or { Length: > DetailsLength }) return null;
        try
        {
            using var document = JsonDocument.Parse(json);
            using var bytes = new MemoryStream();
            using (var writer = new Utf8JsonWriter(bytes)) Copy(document.RootElement, writer);
            return System.Text.Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length) is { Length: <= DetailsLength * 2 } stored ? stored : null;
        }
        // Half a character that was written as an escape is no text either.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    static void Copy(JsonElement value, Utf8JsonWriter to)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                to.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    to.WritePropertyName(Storable(member.Name));
                    Copy(member.Value, to);
                }
                to.WriteEndObject();
                break;
            case JsonValueKind.Array:
                to.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Copy(item, to);
                to.WriteEndArray();
                break;
            case JsonValueKind.String:
                to.WriteStringValue(WithoutNul(value.GetString()!));
                break;
            // A number can be written that no column takes.
            case JsonValueKind.Number when value.GetRawText() is { Length: > 30 } number:
                to.WriteStringValue(number);
                break;
            case JsonValueKind.Number when value.GetRawText().AsSpan().ContainsAny('e', 'E'):
                to.WriteStringValue(value.GetRawText());
                break;
            default:
                value.WriteTo(to);
                break;
        }
    }

    static string WithoutNul(string text) => text.Contains('\0', StringComparison.Ordinal) ? text.Replace('\0', ' ') : text;

    /// <summary>No longer than that, and never half a character at its end.</summary>
    static string Cut(string text, int length)
    {
        if (text.Length <= length) return text;
        var end = length - 1;
        return string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[end - 1]) ? end - 1 : end), "…");
    }
}
