using System.Text.Json;
using System.Text.Json.Nodes;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Public.ReadApi;

namespace Portal.Api.Describing;

/// <summary>The description of <c>/api/v2</c>; its examples are rendered by the same code as the documents themselves.</summary>
static class ReadApiDocument
{
    const string Incident = "id:id name:text status:incident-status created_at:time updated_at:time monitoring_at:time? resolved_at:time? impact:indicator shortlink:text started_at:time page_id:id reminder_intervals:text? incident_updates:[Update] components:[Component]";

    /// <summary>Object → its fields. A question mark is "or null", brackets are a list.</summary>
    static readonly (string Name, string Fields)[] Objects =
    [
        ("Page", "id:id name:text url:text time_zone:text updated_at:time"),
        ("Status", "indicator:indicator description:text"),
        ("Component", "id:id name:text status:component-status created_at:time updated_at:time position:number description:text? showcase:flag start_date:text? group_id:id? page_id:id group:flag only_show_if_degraded:flag"),
        ("Incident", Incident),
        ("Maintenance", Incident.Replace("incident-status", "maintenance-status", StringComparison.Ordinal) + " scheduled_for:time scheduled_until:time"),
        ("Update", "id:id status:text body:text incident_id:id created_at:time updated_at:time display_at:time affected_components:[Affected]? deliver_notifications:flag custom_tweet:text? tweet_id:text?"),
        ("Affected", "code:id name:text old_status:component-status new_status:component-status"),
        ("Summary", "page:Page status:Status components:[Component] incidents:[Incident] scheduled_maintenances:[Maintenance]"),
        ("StatusDocument", "page:Page status:Status"),
        ("Components", "page:Page components:[Component]"),
        ("Incidents", "page:Page incidents:[Incident]"),
        ("Maintenances", "page:Page scheduled_maintenances:[Maintenance]"),
    ];

    static readonly (string Summary, string Schema)[] Documents =
    [
        ("Everything at once: status, components, unresolved incidents, upcoming and active maintenance", "Summary"),
        ("The one status of the whole", "StatusDocument"),
        ("Components; a group is a row of its own that also names its components", "Components"),
        ("The latest 50 incidents", "Incidents"),
        ("Incidents that are not resolved", "Incidents"),
        ("The latest 50 scheduled maintenances", "Maintenances"),
        ("Scheduled maintenances that are still to come", "Maintenances"),
        ("Scheduled maintenances that are under way", "Maintenances"),
    ];

    public static JsonObject Make(PublicSettings settings)
    {
        var examples = new ReadApiPublication().Render(Sample(), new RenderContext(DateTimeOffset.UnixEpoch, settings, false)).ToDictionary(d => d.Path, d => JsonNode.Parse(d.Body));
        var paths = new JsonObject();
        foreach (var (path, (summary, schema)) in ReadApiPublication.Paths.Zip(Documents))
            paths[path] = new JsonObject
            {
                ["get"] = new JsonObject
                {
                    ["summary"] = summary,
                    ["security"] = new JsonArray(),
                    ["responses"] = new JsonObject
                    {
                        ["200"] = new JsonObject
                        {
                            ["description"] = "The document",
                            ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = Reference(schema), ["example"] = examples[path] } },
                        },
                        ["304"] = new JsonObject { ["description"] = "Not changed since the ETag in If-None-Match" },
                        ["404"] = new JsonObject { ["description"] = "There is no such document" },
                    },
                },
            };
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "Public read API",
                ["version"] = "2",
                ["description"] = "What the status page shows, for programs, in the shapes that status page clients already read. No key, from any origin, never limited; every answer has an ETag and may be cached for seconds. Times are RFC 3339 with milliseconds, UTC. Ids never change.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = settings.BaseUrl }),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = new JsonObject(Objects.Select(o => KeyValuePair.Create(o.Name, (JsonNode?)Object(o.Fields)))) },
        };
    }

    static JsonObject Object(string fields)
    {
        var all = fields.Split(' ').Select(f => f.Split(':')).ToList();
        return new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray([.. all.Select(f => (JsonNode?)f[0])]),
            ["properties"] = new JsonObject(all.Select(f => KeyValuePair.Create(f[0], (JsonNode?)Type(f[1])))),
        };
    }

    static JsonObject Type(string type)
    {
        if (type.EndsWith('?'))
        {
            var inner = Type(type[..^1]);
            if (inner["type"] is { } single) inner["type"] = new JsonArray(single.DeepClone(), "null");
            return inner;
        }
        return type switch
        {
            ['[', .. var item, ']'] => new JsonObject { ["type"] = "array", ["items"] = Type(item) },
            "id" => new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9a-f]{32}$" },
            "time" => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
            "text" => new JsonObject { ["type"] = "string" },
            "number" => new JsonObject { ["type"] = "integer" },
            "flag" => new JsonObject { ["type"] = "boolean" },
            "indicator" => Words("none", "minor", "major", "critical", "maintenance"),
            "component-status" => Words("operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"),
            "incident-status" => Words("investigating", "identified", "monitoring", "resolved", "postmortem"),
            "maintenance-status" => Words("scheduled", "in_progress", "verifying", "completed"),
            _ => Reference(type),
        };
    }

    static JsonObject Words(params string[] words) => new() { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(w => (JsonNode?)w)]) };

    static JsonObject Reference(string schema) => new() { ["$ref"] = $"#/components/schemas/{schema}" };

    static StatusPageModel Sample()
    {
        var at = new DateTimeOffset(2026, 11, 21, 14, 0, 0, TimeSpan.Zero);
        static T Known<T>(int n) where T : struct, IId<T> => T.From(new Guid($"0198f3a0-0000-7000-8000-{n:x12}"));
        var group = new GroupView(Known<ComponentGroupId>(1), "Checkout", 0, at, at);
        var payments = new ComponentView(Known<ComponentId>(2), "payments", "Payments", "Card payments", group.Id, 0, ComponentStatus.PartialOutage, at, at, at, at, true, [], []);
        var update = new UpdateView(Known<IncidentUpdateId>(4), IncidentStatus.Identified, "Card payments fail for about 1 in 5 customers. We know why and are rolling back.", at, at, null,
            [new(payments.Id, payments.Slug, payments.Name, ComponentStatus.Operational, payments.Status)]);
        var incident = new IncidentView(Known<IncidentId>(3), "Card payments fail", Severity.P1, Indicator.Major, IncidentStatus.Identified, at, at, at, null, null, null, [update],
            [new(payments.Id, payments.Slug, payments.Name, payments.Status)]);
        return new StatusPageModel
        {
            Version = 1,
            ChangedAt = at,
            ReadAt = at,
            PageId = Known<ComponentId>(0).ToString(),
            IsDemo = false,
            Groups = [group],
            Components = [payments],
            Incidents = [incident],
            ResponseTimes = [],
        };
    }
}
