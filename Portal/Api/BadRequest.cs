using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Portal.Api;

/// <summary>From what the framework says of a request that it could not read to what helps its sender.</summary>
static partial class BadRequest
{
    /// <param name="body">What the endpoint takes as its body; null where it takes none.</param>
    public static Problem Explain(BadHttpRequestException e, Type? body) => e switch
    {
        { InnerException: RefusedValue refused } => Problem.OfField(Field(refused.Path), refused.Message),
        { InnerException: JsonException json } => Explain(json, body),
        { StatusCode: 413 } => Problem.Of(413, "The body is larger than this address takes."),
        { StatusCode: 415 } => Problem.Of(415),
        { StatusCode: 408 } => Problem.Of(408),
        _ when Parameter.Match(e.Message) is { Success: true } unread => Problem.OfField(unread.Groups[1].Value, $"\"{Shorten(unread.Groups[2].Value)}\" cannot be read here."),
        _ when e.Message.Contains("body", StringComparison.OrdinalIgnoreCase) => Problem.Of(400, "The request needs a JSON body."),
        _ => Problem.Of(e.StatusCode is >= 400 and < 500 ? e.StatusCode : 400, "The request cannot be read."),
    };

    static Problem Explain(JsonException e, Type? body)
    {
        // The reader's own exception lies below when the text is no JSON at all; otherwise a value has the wrong type.
        if (e.InnerException is JsonException || e.Path is null or "$" && e.InnerException is null && e.BytePositionInLine is null)
            return Problem.Of(400, $"The body is not valid JSON (line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}).");
        if (Missing.Match(e.Message) is { Success: true } missing)
            return Problem.OfField(missing.Groups[1].Value, "It is required.");
        if (Unknown.Match(e.Message) is { Success: true } unknown)
            return NoSuchField(unknown.Groups[1].Value, e.Path ?? "$", body);
        return Problem.OfField(Field(e.Path), "The value has the wrong type.");
    }

    /// <param name="path">Of the field itself, or of the object that it stands in.</param>
    static Problem NoSuchField(string name, string path, Type? body)
    {
        var field = path == "$" ? name : path == $"$.{name}" || path.EndsWith($".{name}", StringComparison.Ordinal) || path.EndsWith($"['{name}']", StringComparison.Ordinal) ? Field(path) : $"{Field(path)}.{name}";
        var isOutermost = path == "$" || path == $"$.{name}" || path == $"$['{name}']";
        var known = isOutermost && body is not null ? $" There are: {string.Join(", ", body.GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)))}." : "";
        return Problem.OfField(Shorten(isOutermost ? name : field), $"There is no such field.{known}");
    }

    /// <summary>"$.components[0].status" → "components[0].status".</summary>
    static string Field(string? path) => path is null or "$" ? "body" : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path.TrimStart('$');

    static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 39), "…");

    [GeneratedRegex("""^Failed to bind parameter ".+? (\w+)" from "(.*)"\.$""", RegexOptions.Singleline)]
    static partial Regex Parameter { get; }

    [GeneratedRegex("^The JSON property '(.*)' could not be mapped to any .NET member", RegexOptions.Singleline)]
    static partial Regex Unknown { get; }

    [GeneratedRegex("missing required properties including: '([^']+)'")]
    static partial Regex Missing { get; }
}
