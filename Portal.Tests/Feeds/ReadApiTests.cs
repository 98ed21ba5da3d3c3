using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Domain.Incidents;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Public.ReadApi;

namespace Portal.Tests.Feeds;

public class ReadApiTests
{
    static readonly ReadApiPublication Publication = new();

    static JsonElement Read(string path, StatusPageModel model)
    {
        var document = Publication.Document(path, model);
        Assert.Equal("*", document.Headers!["Access-Control-Allow-Origin"]);
        Assert.StartsWith("application/json", document.ContentType, StringComparison.Ordinal);
        return JsonDocument.Parse(document.Body).RootElement;
    }

    [Fact]
    public void Every_document_decodes_strictly_to_exactly_the_documented_fields()
    {
        var model = PageModels.Rich();
        foreach (var document in Publication.Render(model, PageModels.Context))
            StrictReader.Check(document.Path, JsonDocument.Parse(document.Body).RootElement);
        Assert.Equal(ReadApiPublication.Paths.Order(), Publication.Render(model, PageModels.Context).Select(d => d.Path).Order());
    }

    [Theory]
    [InlineData("""{"page":{"id":"x"}}""")]
    [InlineData("""{"page":null,"status":{"indicator":"none","description":"d"}}""")]
    [InlineData("""{"status":{"indicator":"green","description":"d"}}""")]
    [InlineData("""{"status":{"indicator":"none","description":"d","more":1}}""")]
    public void The_strict_reader_itself_refuses_what_is_wrong(string json) =>
        Assert.ThrowsAny<Exception>(() => StrictReader.Check("/api/v2/status.json", JsonDocument.Parse(json).RootElement));

    [Fact]
    public void Every_value_of_every_enum_is_one_that_clients_know()
    {
        foreach (var status in Enum.GetValues<ComponentStatus>())
            foreach (var incidentStatus in Enum.GetValues<IncidentStatus>())
                foreach (var impact in Enum.GetValues<Indicator>())
                {
                    var component = PageModels.Component("Payments", status);
                    var model = PageModels.Of([component], [PageModels.Incident("Title", incidentStatus, impact, component)]);
                    foreach (var document in Publication.Render(model, PageModels.Context)) StrictReader.Check(document.Path, JsonDocument.Parse(document.Body).RootElement);
                }
    }

    [Theory]
    [InlineData(-60, 60, "in_progress", "active", "maintenance")]
    [InlineData(-60, 10, "verifying", "active", "maintenance")]
    [InlineData(60, 120, "scheduled", "upcoming", "none")]
    [InlineData(-120, -60, "completed", null, "none")]
    // An edge belongs to what follows.
    [InlineData(0, 60, "in_progress", "active", "maintenance")]
    [InlineData(-60, 0, "completed", null, "none")]
    public void A_maintenance_is_in_the_lists_of_its_status_and_its_components_are_under_it(int from, int to, string status, string? list, string indicator)
    {
        var (component, other) = (PageModels.Component("Payments", ComponentStatus.MajorOutage), PageModels.Component("Other"));
        var window = PageModels.Maintenance("Upgrade", from, to, component);
        var model = (PageModels.Of([component with { Status = list == "active" ? ComponentStatus.MajorOutage : ComponentStatus.Operational }, other]) with { Maintenances = [window] }).At(PageModels.Now);
        foreach (var document in Publication.Render(model, PageModels.Context)) StrictReader.Check(document.Path, JsonDocument.Parse(document.Body).RootElement);
        var all = Read("/api/v2/scheduled-maintenances.json", model).GetProperty("scheduled_maintenances").EnumerateArray().ToList();
        var shape = Assert.Single(all);
        Assert.Equal((status, window.Id.ToString()), (shape.GetProperty("status").GetString(), shape.GetProperty("id").GetString()));
        Assert.Equal(status == "completed", shape.GetProperty("resolved_at").ValueKind != JsonValueKind.Null);
        Assert.Equal($"https://status.example.com/maintenance/{window.Id}", shape.GetProperty("shortlink").GetString());
        // The newest entry says how it stands, the oldest is the announcement.
        Assert.Equal((status, "scheduled"), (shape.GetProperty("incident_updates")[0].GetProperty("status").GetString(), shape.GetProperty("incident_updates").EnumerateArray().Last().GetProperty("status").GetString()));
        foreach (var name in new[] { "upcoming", "active" })
            Assert.Equal(name == list ? 1 : 0, Read($"/api/v2/scheduled-maintenances/{name}.json", model).GetProperty("scheduled_maintenances").GetArrayLength());
        var summary = Read("/api/v2/summary.json", model);
        Assert.Equal(list is null ? 0 : 1, summary.GetProperty("scheduled_maintenances").GetArrayLength());
        Assert.Equal(indicator, summary.GetProperty("status").GetProperty("indicator").GetString());
        Assert.Equal(list == "active" ? "under_maintenance" : "operational", summary.GetProperty("components")[0].GetProperty("status").GetString());
    }

    [Fact]
    public void What_was_cancelled_has_no_word_in_the_read_api_and_is_in_none_of_its_lists()
    {
        var window = PageModels.Maintenance("Upgrade", 60, 120);
        Assert.Equal(1, Of(window));
        Assert.Equal(0, Of(window with { Times = window.Times with { CancelledAt = PageModels.Now } }));

        int Of(MaintenanceView shown) => ReadApiPublication.Paths.Where(p => p.EndsWith("upcoming.json", StringComparison.Ordinal) || p.EndsWith("maintenances.json", StringComparison.Ordinal) || p.EndsWith("summary.json", StringComparison.Ordinal))
            .Select(p => Read(p, PageModels.Of([]) with { Maintenances = [shown] }).GetProperty("scheduled_maintenances").GetArrayLength()).Distinct().Single();
    }

    [Theory]
    [InlineData("major_outage", "critical", "Major System Outage")]
    [InlineData("major_outage major_outage", "critical", "Major System Outage")]
    [InlineData("major_outage operational", "major", "Partial System Outage")]
    [InlineData("major_outage partial_outage", "major", "Partial System Outage")]
    [InlineData("partial_outage partial_outage", "major", "Partial System Outage")]
    [InlineData("partial_outage operational", "minor", "Minor Service Outage")]
    [InlineData("partial_outage degraded_performance", "minor", "Minor Service Outage")]
    [InlineData("degraded_performance degraded_performance", "minor", "Degraded System Service")]
    [InlineData("degraded_performance operational", "minor", "Partially Degraded Service")]
    [InlineData("degraded_performance under_maintenance", "minor", "Partially Degraded Service")]
    [InlineData("under_maintenance operational", "maintenance", "Service Under Maintenance")]
    [InlineData("operational operational", "none", "All Systems Operational")]
    [InlineData("", "none", "All Systems Operational")]
    public void The_indicator_follows_from_the_components(string statuses, string indicator, string description)
    {
        var all = statuses.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select((s, i) => PageModels.Component($"C{i}", Enum.Parse<ComponentStatus>(s.Replace("_", "", StringComparison.Ordinal), ignoreCase: true))).ToList();
        var status = Read("/api/v2/status.json", PageModels.Of(all)).GetProperty("status");
        Assert.Equal((indicator, description), (status.GetProperty("indicator").GetString(), status.GetProperty("description").GetString()));
    }

    [Theory]
    [InlineData(Indicator.None, "minor")]
    [InlineData(Indicator.Minor, "minor")]
    [InlineData(Indicator.Major, "major")]
    [InlineData(Indicator.Critical, "critical")]
    public void An_unresolved_incident_raises_the_indicator_to_its_impact_and_a_resolved_one_does_not(Indicator impact, string indicator)
    {
        var component = PageModels.Component("Payments", ComponentStatus.DegradedPerformance);
        string? Of(IncidentStatus status) => Read("/api/v2/status.json", PageModels.Of([component, PageModels.Component("Other")], [PageModels.Incident("T", status, impact)])).GetProperty("status").GetProperty("indicator").GetString();
        Assert.Equal(indicator, Of(IncidentStatus.Monitoring));
        Assert.Equal("minor", Of(IncidentStatus.Resolved));
    }

    [Fact]
    public void A_group_is_a_row_that_names_its_components_and_shows_the_worst_of_them()
    {
        var rows = Read("/api/v2/components.json", PageModels.Rich()).GetProperty("components").EnumerateArray().ToList();
        Assert.Equal(["Search", "Checkout", "Payments", "Cart", "Empty"], rows.Select(r => r.GetProperty("name").GetString()));
        var group = rows[1];
        Assert.Equal("partial_outage", group.GetProperty("status").GetString());
        Assert.Equal(rows.Skip(2).Take(2).Select(r => r.GetProperty("id").GetString()), group.GetProperty("components").EnumerateArray().Select(i => i.GetString()));
        Assert.All(rows.Skip(2).Take(2), r => Assert.Equal(group.GetProperty("id").GetString(), r.GetProperty("group_id").GetString()));
        // Its group is gone: it stands for itself, and points nowhere.
        Assert.Equal(JsonValueKind.Null, rows[0].GetProperty("group_id").ValueKind);
        Assert.Equal([1, 2, 1, 2, 3], rows.Select(r => r.GetProperty("position").GetInt32()));
    }

    [Fact]
    public void Unresolved_incidents_leave_their_list_when_resolved_and_stay_in_the_full_one()
    {
        var model = PageModels.Rich();
        Assert.Equal("Card payments fail", Assert.Single(Read("/api/v2/incidents/unresolved.json", model).GetProperty("incidents").EnumerateArray()).GetProperty("name").GetString());
        Assert.Equal(3, Read("/api/v2/incidents.json", model).GetProperty("incidents").GetArrayLength());
        Assert.Equal("https://status.example.com/incidents/" + model.Incidents[0].Id, Read("/api/v2/summary.json", model).GetProperty("incidents")[0].GetProperty("shortlink").GetString());
    }

    [Fact]
    public void The_full_list_ends_after_fifty_and_the_newest_come_first()
    {
        var many = Enumerable.Range(0, 60).Select(i => PageModels.Incident($"Number {i}", IncidentStatus.Resolved) with { CreatedAt = PageModels.Now.AddHours(-i) }).Reverse().ToList();
        var listed = Read("/api/v2/incidents.json", PageModels.Of([], many)).GetProperty("incidents").EnumerateArray().ToList();
        Assert.Equal(50, listed.Count);
        Assert.Equal("Number 0", listed[0].GetProperty("name").GetString());
    }

    [Fact]
    public void What_people_wrote_arrives_as_they_wrote_it()
    {
        var nasty = "</script><img src=x onerror=alert(1)> \"quoted\" \\ \u2028 日本語 🚨";
        var model = PageModels.Of([PageModels.Component(nasty)], [PageModels.Incident(nasty, updates: [PageModels.Update(nasty)])]);
        var summary = Read("/api/v2/summary.json", model);
        Assert.Equal(nasty, summary.GetProperty("components")[0].GetProperty("name").GetString());
        Assert.Equal(nasty, summary.GetProperty("incidents")[0].GetProperty("incident_updates")[0].GetProperty("body").GetString());
        Assert.DoesNotContain("<"u8.ToArray(), Publication.Document("/api/v2/summary.json", model).Body);
    }

    [Fact]
    public void The_same_model_gives_the_same_bytes()
    {
        var model = PageModels.Rich();
        Assert.Equal(Publication.Render(model, PageModels.Context).Select(d => Convert.ToHexString(d.Body)), Publication.Render(model, PageModels.Context).Select(d => Convert.ToHexString(d.Body)));
    }
}

/// <summary>A client that refuses whatever the documentation of the read API does not say, written from that documentation and not from our types.</summary>
static partial class StrictReader
{
    const string Component = "id:id name:text status:component created_at:time updated_at:time position:int description:text? showcase:bool start_date:date? group_id:id? page_id:id group:bool only_show_if_degraded:bool";
    const string Incident = "id:id name:text status:incident created_at:time updated_at:time monitoring_at:time? resolved_at:time? impact:impact shortlink:url started_at:time page_id:id reminder_intervals:text? incident_updates:[update] components:[component_row]";

    const string Update = "id:id status:incident body:text incident_id:id created_at:time updated_at:time display_at:time affected_components:[affected]? deliver_notifications:bool custom_tweet:text? tweet_id:text?";

    static readonly Dictionary<string, string> Objects = new()
    {
        ["page"] = "id:id name:text url:url time_zone:text updated_at:time",
        ["status"] = "indicator:impact description:text",
        ["component_row"] = Component,
        ["group_row"] = Component + " components:[id]",
        ["incident_object"] = Incident,
        ["maintenance_object"] = Incident.Replace("status:incident", "status:maintenance", StringComparison.Ordinal).Replace("impact:impact", "impact:announced", StringComparison.Ordinal).Replace("[update]", "[maintenance_update]", StringComparison.Ordinal) + " scheduled_for:time scheduled_until:time",
        ["maintenance_update"] = Update.Replace("status:incident", "status:maintenance", StringComparison.Ordinal),
        ["update"] = Update,
        ["affected"] = "code:id name:text old_status:component new_status:component",
        ["/api/v2/summary.json"] = "page:page status:status components:[component_row] incidents:[incident_object] scheduled_maintenances:[maintenance_object]",
        ["/api/v2/status.json"] = "page:page status:status",
        ["/api/v2/components.json"] = "page:page components:[component_row]",
        ["/api/v2/incidents.json"] = "page:page incidents:[incident_object]",
        ["/api/v2/incidents/unresolved.json"] = "page:page incidents:[incident_object]",
        ["/api/v2/scheduled-maintenances.json"] = "page:page scheduled_maintenances:[maintenance_object]",
        ["/api/v2/scheduled-maintenances/upcoming.json"] = "page:page scheduled_maintenances:[maintenance_object]",
        ["/api/v2/scheduled-maintenances/active.json"] = "page:page scheduled_maintenances:[maintenance_object]",
    };

    static readonly Dictionary<string, string[]> Words = new()
    {
        ["component"] = ["operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"],
        ["incident"] = ["investigating", "identified", "monitoring", "resolved", "postmortem"],
        ["maintenance"] = ["scheduled", "in_progress", "verifying", "completed"],
        ["announced"] = ["maintenance"],
        ["impact"] = ["none", "minor", "major", "critical", "maintenance"],
    };

    public static void Check(string kind, JsonElement value)
    {
        if (kind == "component_row" && value.GetProperty("group").GetBoolean()) kind = "group_row";
        var fields = Objects[kind].Split(' ').Select(f => f.Split(':')).ToDictionary(f => f[0], f => f[1]);
        Assert.Equal(fields.Keys.Order(), value.EnumerateObject().Select(p => p.Name).Order());
        foreach (var property in value.EnumerateObject()) CheckValue(fields[property.Name], property.Value, $"{kind}.{property.Name}");
    }

    static void CheckValue(string type, JsonElement value, string where)
    {
        if (type.EndsWith('?'))
        {
            if (value.ValueKind == JsonValueKind.Null) return;
            type = type[..^1];
        }
        if (type.StartsWith('['))
        {
            foreach (var item in value.EnumerateArray()) CheckValue(type[1..^1], item, where);
            return;
        }
        if (Words.TryGetValue(type, out var words)) Assert.True(words.Contains(value.GetString()), $"{where}: {value}");
        else if (Objects.ContainsKey(type)) Check(type, value);
        else Assert.True(type switch
        {
            "id" => Id.IsMatch(value.GetString()!),
            "text" => value.ValueKind == JsonValueKind.String,
            "url" => Uri.TryCreate(value.GetString(), UriKind.Absolute, out _),
            "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "int" => value.TryGetInt32(out _),
            "date" => DateOnly.TryParseExact(value.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "time" => Time.IsMatch(value.GetString()!),
            _ => throw new InvalidOperationException($"No rule for {type}."),
        }, $"{where}: {value}");
    }

    [GeneratedRegex("^[0-9a-f]{32}$")]
    static partial Regex Id { get; }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
    static partial Regex Time { get; }
}
