using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Domain.Shared;

namespace Portal.Api;

/// <summary>What a program is told when it does not get what it asked for: problem details after RFC 9457.</summary>
/// <param name="Type">Stable name of the kind of problem, explained under <c>/docs</c>.</param>
/// <param name="Errors">Field → what is wrong with it.</param>
/// <param name="Current">The text that stands now, where an edit was refused because of it.</param>
/// <param name="Scope">The scope that the key lacks.</param>
public sealed record Problem(
    string Type, string Title, int Status, string? Detail = null, string? RequestId = null,
    IReadOnlyDictionary<string, string[]>? Errors = null, string? Current = null, string? Scope = null)
{
    public const string ContentType = "application/problem+json";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    static readonly Dictionary<int, (string Name, string Title, string? Detail)> Known = new()
    {
        [400] = ("bad-request", "The request cannot be read", null),
        [401] = ("unauthorized", "A valid API key is needed", "Send \"Authorization: Bearer <key>\". The key is missing, unknown, revoked or mistyped."),
        [403] = ("forbidden", "This is not allowed", null),
        [404] = ("not-found", "There is nothing here", "The address is unknown, or what it named does not exist."),
        [405] = ("method-not-allowed", "This address does not take that method", "The Allow header names the methods that it takes."),
        [406] = ("not-acceptable", "None of the accepted formats can be had", null),
        [408] = ("timeout", "The request took too long to arrive", null),
        [409] = ("conflict", "Somebody was faster", null),
        [413] = ("too-large", "The request is too large", null),
        [415] = ("unsupported-media-type", "The request's content type is not taken", "Send JSON with \"Content-Type: application/json\"."),
        [422] = ("refused", "A rule refuses this", null),
        [429] = ("too-many-requests", "Too many requests", "Wait as long as Retry-After says, then go on more slowly."),
        [500] = ("fault", "Something failed here", "It was logged under the request id. Nothing is known to have been saved; look before you repeat it."),
        [503] = ("unavailable", "Not at the moment", "The database cannot be reached. Wait as long as Retry-After says; look whether a write was saved before you repeat it."),
    };

    public static IEnumerable<(int Status, string Name, string Title, string? Detail)> All => Known.Select(k => (k.Key, k.Value.Name, k.Value.Title, k.Value.Detail));

    public static Problem Of(int status, string? detail = null)
    {
        var (name, title, usual) = Known.TryGetValue(status, out var known) ? known : ("other", "The request was not carried out", null);
        return new Problem($"/docs#problem-{name}", title, status, detail ?? usual);
    }

    /// <summary>A refusal that one field is to blame for.</summary>
    public static Problem OfField(string field, string text) =>
        Of(422, text) with { Errors = new Dictionary<string, string[]> { [field] = [text] } };

    public static Problem Of(DomainException e) => e.Field is null ? Of(422, e.Message) : OfField(e.Field, e.Message);

    public async Task Write(HttpContext http)
    {
        http.Response.StatusCode = Status;
        http.Response.ContentType = ContentType;
        http.Response.Headers.CacheControl = "no-store";
        if (Status == 401) http.Response.Headers.WWWAuthenticate = "Bearer";
        if (Status == 503 && http.Response.Headers.RetryAfter.Count == 0) http.Response.Headers.RetryAfter = "5";
        if (HttpMethods.IsHead(http.Request.Method)) return;
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(this with { RequestId = http.TraceIdentifier }, Json), http.RequestAborted);
    }
}
