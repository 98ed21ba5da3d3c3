using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Portal.Api.Describing;

/// <summary><c>/docs</c>: both descriptions as one page for people, without any script.</summary>
sealed class DocsPage(JsonObject management, JsonObject reading)
{
    static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    static readonly JsonSerializerOptions Sparse = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    readonly StringBuilder html = new();

    public string Write()
    {
        html.Append("""
            <!DOCTYPE html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>API documentation</title>
              <link rel="stylesheet" href="/assets/docs.css">
            </head>
            <body>
            <header><h1>API documentation</h1><p><a href="/">Status page</a> · <a href="/openapi/v1.json">OpenAPI v1</a> · <a href="/openapi/v2.json">OpenAPI v2</a></p></header>
            <nav aria-label="Contents"><ul><li><a href="#problems">Problems</a></li>
            """);
        Contents("v1", management);
        Contents("v2", reading);
        html.Append("</ul></nav>\n<main>\n");
        Problems();
        Document("v1", management);
        Document("v2", reading);
        return html.Append("</main>\n</body>\n</html>\n").ToString();
    }

    void Contents(string version, JsonObject document)
    {
        Put($"<li><a href=\"#{version}\">{Encode(document["info"]!["title"])} {version}</a><ul>");
        foreach (var (method, path, operation) in Operations(document))
            Put($"<li><a href=\"#{Anchor(version, method, path)}\"><code>{method} {Encode(path)}</code></a></li>");
        html.Append("</ul></li>\n");
    }

    void Problems()
    {
        html.Append("<section id=\"problems\"><h2>Problems</h2><p>Whatever is refused is answered as <code>application/problem+json</code> (RFC 9457), with <code>requestId</code>; its <code>type</code> names a row of this table.</p><div class=\"wide\"><table><thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Name</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
        foreach (var (status, name, title, detail) in Problem.All)
            Put($"<tr id=\"problem-{name}\"><td>{status}</td><td><code>{name}</code></td><td>{Encode(title)}. {Encode(detail)}</td></tr>");
        html.Append("</tbody></table></div>");
        var example = Problem.OfField("title", "The title is required.") with { RequestId = "0HNGQ5J3T7A1B:00000002" };
        Example("An example", JsonSerializer.SerializeToNode(example, Sparse));
        html.Append("</section>\n");
    }

    void Document(string version, JsonObject document)
    {
        Put($"<section id=\"{version}\"><h2>{Encode(document["info"]!["title"])} {version}</h2>");
        foreach (var paragraph in ((string?)document["info"]!["description"] ?? "").Split('\n')) Put($"<p>{Encode(paragraph)}</p>");
        foreach (var (method, path, operation) in Operations(document)) Operation(version, document, method, path, operation);
        html.Append("</section>\n");
    }

    void Operation(string version, JsonObject document, string method, string path, JsonObject operation)
    {
        Put($"<article id=\"{Anchor(version, method, path)}\"><h3><code>{method} {Encode(path)}</code></h3>");
        foreach (var text in new[] { operation["summary"], operation["description"] }) if (text is not null) Put($"<p>{Encode(text)}</p>");
        if (operation["x-scopes"] is JsonArray scopes) Put($"<p>Scope: {string.Join(", ", scopes.Select(s => $"<code>{Encode(s)}</code>"))}</p>");
        if (operation["parameters"] is JsonArray { Count: > 0 } parameters)
        {
            html.Append("<div class=\"wide\"><table><thead><tr><th scope=\"col\">Parameter</th><th scope=\"col\">In</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
            foreach (var parameter in parameters.OfType<JsonObject>())
                Put($"<tr><td><code>{Encode(parameter["name"])}</code></td><td>{Encode(parameter["in"])}</td><td>{Type(document, parameter["schema"])}</td><td>{Encode(parameter["description"])}</td></tr>");
            html.Append("</tbody></table></div>");
        }
        if (operation["requestBody"]?["content"]?["application/json"]?["schema"] is JsonObject body)
        {
            Fields(document, "Body", body);
            Example("Example of a body", Sample(document, body, 0));
        }
        foreach (var (status, response) in operation["responses"]?.AsObject() ?? []) Answer(document, status, response!.AsObject());
        html.Append("</article>\n");
    }

    void Answer(JsonObject document, string status, JsonObject response)
    {
        Put($"<p class=\"answer\"><strong>{Encode(status)}</strong> {Encode(response["description"])}</p>");
        if (response["content"]?["application/json"] is not JsonObject { } content || content["schema"] is not JsonObject schema) return;
        if (!status.StartsWith('2')) return;
        Fields(document, "Answer", schema);
        Example("Example of the answer", content["example"] ?? Sample(document, schema, 0));
    }

    void Fields(JsonObject document, string caption, JsonObject schema)
    {
        var resolved = Resolve(document, schema);
        if (resolved["properties"] is not JsonObject { Count: > 0 } properties) return;
        var required = (resolved["required"] as JsonArray)?.Select(r => (string?)r).ToHashSet() ?? [];
        Put($"<div class=\"wide\"><table><caption>{caption}</caption><thead><tr><th scope=\"col\">Field</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead><tbody>");
        foreach (var (name, field) in properties)
            Put($"<tr><td><code>{Encode(name)}</code>{(required.Contains(name) ? " *" : "")}</td><td>{Type(document, field)}</td><td>{Encode(field?["description"])}</td></tr>");
        html.Append("</tbody></table></div>");
    }

    void Example(string caption, JsonNode? example)
    {
        if (example is not null) Put($"<details><summary>{Encode(caption)}</summary><pre>{Encode(example.ToJsonString(Readable))}</pre></details>");
    }

    static string Type(JsonObject document, JsonNode? schema)
    {
        if (schema is not JsonObject given) return "";
        var resolved = Resolve(document, given);
        if (resolved["enum"] is JsonArray words) return string.Join(" ", words.Where(w => w is not null).Select(w => $"<code>{Encode(w)}</code>"));
        var kind = resolved["type"] is JsonArray several ? string.Join(" or ", several.Select(s => (string?)s)) : (string?)resolved["type"] ?? "any";
        if (kind.StartsWith("array", StringComparison.Ordinal)) return "list of " + Type(document, resolved["items"]);
        return Encode(kind + ((string?)resolved["format"] is { } format ? $" ({format})" : resolved["pattern"] is null ? "" : " (id)"));
    }

    /// <summary>A value that the schema takes; deep or recursive ones end in null.</summary>
    static JsonNode? Sample(JsonObject document, JsonNode? schema, int depth)
    {
        if (schema is not JsonObject given || depth > 5) return null;
        var resolved = Resolve(document, given);
        if (resolved["example"] is { } example) return example.DeepClone();
        if (resolved["enum"] is JsonArray { Count: > 0 } words) return words[0]?.DeepClone();
        var kind = resolved["type"] is JsonArray several ? (string?)several.FirstOrDefault(s => (string?)s != "null") : (string?)resolved["type"];
        return kind switch
        {
            "object" when resolved["properties"] is JsonObject properties => new JsonObject(properties.Select(p => KeyValuePair.Create(p.Key, Sample(document, p.Value, depth + 1)))),
            "object" => new JsonObject(),
            "array" => new JsonArray(Sample(document, resolved["items"], depth + 1)),
            "integer" or "number" => 1,
            "boolean" => true,
            "string" when (string?)resolved["format"] == "date-time" => "2026-11-21T14:20:00.000Z",
            "string" when resolved["pattern"] is not null => "0198f3a0000070008000000000000001",
            "string" => "text",
            _ => null,
        };
    }

    static JsonObject Resolve(JsonObject document, JsonObject schema)
    {
        if ((string?)schema["$ref"] is { } reference && document["components"]?["schemas"]?[reference.Split('/')[^1]] is JsonObject named) return named;
        return (schema["oneOf"] ?? schema["anyOf"]) is JsonArray choices && choices.OfType<JsonObject>().FirstOrDefault(c => (string?)c["type"] != "null") is { } chosen ? Resolve(document, chosen) : schema;
    }

    static IEnumerable<(string Method, string Path, JsonObject Operation)> Operations(JsonObject document) =>
        from path in document["paths"]?.AsObject() ?? []
        from operation in path.Value!.AsObject()
        where operation.Key is "get" or "post" or "put" or "patch" or "delete"
        select (operation.Key.ToUpperInvariant(), path.Key, operation.Value!.AsObject());

    static string Anchor(string version, string method, string path) =>
        $"{version}-{method.ToLowerInvariant()}-{string.Concat(path.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')).Trim('-')}";

    void Put(string text) => html.Append(text);

    static string Encode(object? text) => WebUtility.HtmlEncode(text?.ToString() ?? "");
}
