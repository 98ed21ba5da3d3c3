using System.Globalization;
using System.Text.Json;
using Portal.Domain.Alerting;

namespace Portal.Features.Alerting.Hooks;

/// <summary>Reading documents of other systems, which may hold anything.</summary>
static class JsonReading
{
    /// <summary>What stands there as a text; null where it stands nowhere or is empty.</summary>
    public static string? Text(this JsonElement element, string name)
    {
        if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out var value)) return null;
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => null,
        };
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    public static JsonElement? Part(this JsonElement element, string name, JsonValueKind kind) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == kind ? value : null;

    /// <summary>Null for what is no time, or one that is unset ("0001-01-01T00:00:00Z").</summary>
    public static DateTimeOffset? Time(this JsonElement element, string name) => Time(element.Text(name));

    public static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) && at.Year > 2000 ? at : null;

    /// <summary>Names and values of an object, texts and numbers alone.</summary>
    public static IReadOnlyList<AlertLabel> Labels(this JsonElement? element) => element is not { ValueKind: JsonValueKind.Object } labels ? []
        : [.. labels.EnumerateObject().Select(p => (p.Name, Value: labels.Text(p.Name))).Where(p => p.Value is not null).Take(AlertSignal.MostLabels).Select(p => new AlertLabel(p.Name, p.Value!))];

    public static string? ValueOf(this IReadOnlyList<AlertLabel> labels, string name) => labels.FirstOrDefault(l => l.Name == name).Value;

    /// <exception cref="UnreadableException">It is no JSON object.</exception>
    public static JsonDocument Document(ReadOnlyMemory<byte> body)
    {
        try
        {
            var document = JsonDocument.Parse(body);
            if (body.Span.IndexOf("\\u"u8) >= 0) RequireTexts(document.RootElement);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Said below, in the same words.
        }
        throw new UnreadableException("The body is no JSON object.");
    }

    /// <summary>An escape may be half a character, which throws wherever it is read.</summary>
    static void RequireTexts(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String) _ = element.GetString();
        else if (element.ValueKind == JsonValueKind.Array)
            foreach (var item in element.EnumerateArray()) RequireTexts(item);
        else if (element.ValueKind == JsonValueKind.Object)
            foreach (var member in element.EnumerateObject())
            {
                _ = member.Name;
                RequireTexts(member.Value);
            }
    }
}

/// <summary>A body that cannot be read at all: 400, in words.</summary>
sealed class UnreadableException(string message) : Exception(message);
