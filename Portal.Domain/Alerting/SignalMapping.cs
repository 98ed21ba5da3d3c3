using System.Text.Json;
using Portal.Domain.Incidents;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Domain.Alerting;

/// <summary>Where in a document of an unknown system stands what makes a signal: each a path as <see cref="JsonPath"/> knows it.</summary>
/// <param name="Key">Null: the summary is the key.</param>
/// <param name="State">Whether it is over; null: every document is a trigger.</param>
/// <param name="ResolvedWhen">What stands at <paramref name="State"/> when it is over; upper and lower case are the same.</param>
public sealed record SignalMapping(string Summary, string? Key, string? Severity, string? State, Listed<string> ResolvedWhen, string? Source, string? Link)
{
    public const int MostResolved = 10, PathLength = 500;

    /// <summary>The names that are expected where nobody said others.</summary>
    public static SignalMapping Usual { get; } = new("$.summary", "$.key", "$.severity", "$.status", new(["resolved", "resolve", "ok", "closed", "up"]), "$.source", "$.link");

    /// <exception cref="DomainException">A path cannot be read; names the field.</exception>
    public SignalMapping Checked()
    {
        foreach (var (field, path) in new[] { ("summary", Summary), ("key", Key), ("severity", Severity), ("state", State), ("source", Source), ("link", Link) })
            if (path is { Length: > PathLength }) throw new DomainException($"A path has at most {PathLength} characters.", $"mapping.{field}");
            else if (path is not null) _ = Parsed(path, field);
        if (ResolvedWhen.Count > MostResolved || ResolvedWhen.Any(v => string.IsNullOrWhiteSpace(v) || v.Length > 100)) throw new DomainException($"Say up to {MostResolved} values that mean that it is over.", "mapping.resolvedWhen");
        return this;
    }

    /// <returns>Null where the summary stands nowhere.</returns>
    public AlertSignal? Read(JsonElement document, Severity otherwise)
    {
        if (Find(document, Summary) is not { } summary) return null;
        var over = Find(document, State) is { } state && ResolvedWhen.Contains(state.Trim(), StringComparer.OrdinalIgnoreCase);
        return new(over ? SignalAction.Resolve : SignalAction.Trigger, Find(document, Key) ?? summary, SeverityWords.Read(Find(document, Severity)) ?? otherwise,
            summary, Find(document, Source) ?? "", new([]), over ? null : document.GetRawText(), Find(document, Link));
    }

    static string? Find(JsonElement document, string? path) => path is not null && JsonPath.Parse(path).Find(document) is [{ } first, ..] && !string.IsNullOrWhiteSpace(first) && first != "null" ? first : null;

    static JsonPath Parsed(string path, string field)
    {
        try
        {
            return JsonPath.Parse(path);
        }
        catch (DomainException e)
        {
            throw new DomainException(e.Message, $"mapping.{field}");
        }
    }
}

/// <summary>How other systems call what is P0 to P3 here.</summary>
public static class SeverityWords
{
    /// <returns>Null for a word that means none.</returns>
    public static Severity? Read(string? word) => word?.Trim().ToLowerInvariant() switch
    {
        "p0" or "critical" or "fatal" or "page" or "disaster" or "emergency" or "sev0" => Severity.P0,
        "p1" or "error" or "high" or "major" or "severe" or "sev1" => Severity.P1,
        "p2" or "warning" or "warn" or "medium" or "average" or "moderate" or "sev2" => Severity.P2,
        "p3" or "info" or "information" or "informational" or "low" or "minor" or "notice" or "debug" or "none" or "sev3" => Severity.P3,
        _ => null,
    };
}
