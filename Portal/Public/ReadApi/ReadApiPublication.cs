using System.Text.Json;
using System.Text.Json.Serialization;
using Portal.Api;

namespace Portal.Public.ReadApi;

/// <summary><c>/api/v2</c>: what status page clients already read, rendered with the page from the same model.</summary>
public sealed class ReadApiPublication : IPublication
{
    /// <summary>How many incidents, and how many maintenances, the full lists hold.</summary>
    public const int Latest = 50;

    /// <summary>Anybody's script may read it, from any origin.</summary>
    public static readonly IReadOnlyDictionary<string, string> OpenToAll = new Dictionary<string, string> { ["Access-Control-Allow-Origin"] = "*" };

    public static readonly IReadOnlyList<string> Paths =
    [
        "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
        "/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json",
    ];

    static readonly JsonSerializerOptions Json = Writing();

    static JsonSerializerOptions Writing()
    {
        var options = new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.Never, Converters = { new Milliseconds() } };
        // Complete before anybody uses it, whoever is first and however many.
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
    {
        var view = new ReadApiView(model, context.Settings, context.AsOf);
        object[] documents =
        [
            new SummaryDocument(view.Page, view.Status, view.Components, view.Unresolved, [.. view.Upcoming, .. view.Active]),
            new StatusDocument(view.Page, view.Status),
            new ComponentsDocument(view.Page, view.Components),
            new IncidentsDocument(view.Page, view.Incidents),
            new IncidentsDocument(view.Page, view.Unresolved),
            new MaintenancesDocument(view.Page, view.Maintenances),
            new MaintenancesDocument(view.Page, view.Upcoming),
            new MaintenancesDocument(view.Page, view.Active),
        ];
        return Paths.Zip(documents, (path, document) => new PublishedDocument(path, "application/json; charset=utf-8", JsonSerializer.SerializeToUtf8Bytes(document, document.GetType(), Json), OpenToAll));
    }

    sealed class Milliseconds : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(ApiJson.Time(value));
    }
}
