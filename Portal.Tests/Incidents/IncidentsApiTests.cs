using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Tests.Support;

namespace Portal.Tests.Incidents;

public sealed class IncidentsApiTests : IAsyncLifetime
{
    const string Key = "bootstrap-key-of-the-tests";
    PortalHost host = null!;
    HttpClient client = null!;

    public async Task InitializeAsync()
    {
        host = await PortalHost.Start(new() { ["Bootstrap:AdminEmail"] = "alice@example.com", ["Bootstrap:AdminPassword"] = "correct horse battery", ["Bootstrap:ApiKey"] = Key });
        client = host.Client(Key);
        await Soon.Comes(async () => (await client.GetAsync("/api/v1/components")).IsSuccessStatusCode, "the API answering");
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await host.DisposeAsync();
    }

    async Task<JsonElement> Send(HttpMethod method, string path, string? body, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(expected == answer.StatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    static string[] Fields(JsonElement problem) => [.. problem.GetProperty("errors").EnumerateObject().Select(e => e.Name)];

    [Fact]
    public async Task Components_are_added_changed_overridden_and_deleted()
    {
        var made = await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Orders","group":"Shop","description":"What you buy"}""", HttpStatusCode.Created);
        Assert.Equal(("orders", "Shop", "operational"), (made.GetProperty("slug").GetString(), made.GetProperty("group").GetProperty("name").GetString(), made.GetProperty("status").GetString()));
        var second = await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Orders","group":"shop"}""", HttpStatusCode.Created);
        Assert.Equal("orders-2", second.GetProperty("slug").GetString());
        Assert.Equal(made.GetProperty("group").GetProperty("id").GetString(), second.GetProperty("group").GetProperty("id").GetString());
        Assert.Equal(["slug"], Fields(await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Other","slug":"orders"}""", HttpStatusCode.UnprocessableEntity)));
        Assert.Equal(["slug"], Fields(await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Other","slug":"overall"}""", HttpStatusCode.UnprocessableEntity)));
        Assert.Equal("overall-2", (await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Overall"}""", HttpStatusCode.Created)).GetProperty("slug").GetString());
        Assert.Equal(["name"], Fields(await Send(HttpMethod.Post, "/api/v1/components", """{"slug":"other"}""", HttpStatusCode.UnprocessableEntity)));

        var set = await Send(HttpMethod.Patch, "/api/v1/components/orders", """{"status":"partial_outage"}""", HttpStatusCode.OK);
        Assert.Equal(("partial_outage", "What you buy"), (set.GetProperty("status").GetString(), set.GetProperty("description").GetString()));
        var cleared = await Send(HttpMethod.Patch, "/api/v1/components/orders", """{"status":null,"description":null}""", HttpStatusCode.OK);
        Assert.Equal(("operational", JsonValueKind.Null, JsonValueKind.Null), (cleared.GetProperty("status").GetString(), cleared.GetProperty("override").ValueKind, cleared.GetProperty("description").ValueKind));
        Assert.Equal(["status"], Fields(await Send(HttpMethod.Patch, "/api/v1/components/orders", """{"status":"broken"}""", HttpStatusCode.UnprocessableEntity)));

        await Send(HttpMethod.Patch, "/api/v1/components/orders", $$"""{"name":"Stale","version":{{made.GetProperty("version")}}}""", HttpStatusCode.Conflict);
        var renamed = await Send(HttpMethod.Patch, "/api/v1/components/orders", $$"""{"name":"Purchases","group":null,"version":{{cleared.GetProperty("version")}}}""", HttpStatusCode.OK);
        Assert.Equal(("Purchases", "orders", JsonValueKind.Null), (renamed.GetProperty("name").GetString(), renamed.GetProperty("slug").GetString(), renamed.GetProperty("group").ValueKind));

        await Send(HttpMethod.Delete, "/api/v1/components/orders", null, HttpStatusCode.NoContent);
        await Send(HttpMethod.Get, "/api/v1/components/orders", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Components_are_listed_in_parts()
    {
        for (var i = 0; i < 3; i++) await Send(HttpMethod.Post, "/api/v1/components", $$"""{"name":"Part {{i}}"}""", HttpStatusCode.Created);
        var all = (await Send(HttpMethod.Get, "/api/v1/components", null, HttpStatusCode.OK)).GetProperty("items").EnumerateArray().Select(c => c.GetProperty("id").GetString()).ToList();
        var parts = new List<string?>();
        string? next = null;
        do
        {
            var page = await Send(HttpMethod.Get, $"/api/v1/components?limit=2{(next is null ? "" : $"&after={next}")}", null, HttpStatusCode.OK);
            parts.AddRange(page.GetProperty("items").EnumerateArray().Select(c => c.GetProperty("id").GetString()));
            next = page.GetProperty("next").GetString();
        }
        while (next is not null);
        Assert.Equal(all, parts);
        await Send(HttpMethod.Get, "/api/v1/components?after=nonsense", null, HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task An_incident_lives_through_the_api_from_declaration_to_resolution()
    {
        await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Checkout"}""", HttpStatusCode.Created);
        var made = await Send(HttpMethod.Post, "/api/v1/incidents",
            """{"title":"Checkout fails","severity":"P1","message":"We look.","components":[{"slug":"checkout","status":"major_outage"}]}""", HttpStatusCode.Created);
        var address = $"/api/v1/incidents/{made.GetProperty("id").GetString()}";
        Assert.Equal(("major", "investigating", JsonValueKind.String), (made.GetProperty("impact").GetString(), made.GetProperty("status").GetString(), made.GetProperty("nextUpdateBy").ValueKind));
        Assert.Equal("major_outage", (await Send(HttpMethod.Get, "/api/v1/components/checkout", null, HttpStatusCode.OK)).GetProperty("status").GetString());

        var update = await Send(HttpMethod.Post, $"{address}/updates", """{"message":"Found.","status":"identified","nextUpdateBy":null}""", HttpStatusCode.Created);
        Assert.Equal("public", update.GetProperty("visibility").GetString());
        var note = await Send(HttpMethod.Post, $"{address}/updates", """{"message":"Between us.","visibility":"internal"}""", HttpStatusCode.Created);
        Assert.Equal("identified", note.GetProperty("status").GetString());
        foreach (var (more, field) in new[] { ("\"status\":\"resolved\"", "status"), ("\"nextUpdateBy\":null", "nextUpdateBy"), ("\"components\":[{\"slug\":\"checkout\",\"status\":\"operational\"}]", "components") })
            Assert.Equal([field], Fields(await Send(HttpMethod.Post, $"{address}/updates", $$"""{"message":"Half obeyed.","visibility":"internal",{{more}}}""", HttpStatusCode.UnprocessableEntity)));
        Assert.Equal(["visiblity"], Fields(await Send(HttpMethod.Post, $"{address}/updates", """{"message":"INTERNAL","visiblity":"internal"}""", HttpStatusCode.UnprocessableEntity)));
        var edited = $"{address}/updates/{update.GetProperty("id").GetString()}";
        Assert.Equal(1, (await Send(HttpMethod.Patch, edited, """{"message":"Found it.","revision":0}""", HttpStatusCode.OK)).GetProperty("revision").GetInt32());
        Assert.Equal("Found it.", (await Send(HttpMethod.Patch, edited, """{"message":"Mine.","revision":0}""", HttpStatusCode.Conflict)).GetProperty("current").GetString());

        var rated = await Send(HttpMethod.Patch, address, """{"severity":"P0"}""", HttpStatusCode.OK);
        Assert.Equal(("P0", "critical", JsonValueKind.Null), (rated.GetProperty("severity").GetString(), rated.GetProperty("impact").GetString(), rated.GetProperty("nextUpdateBy").ValueKind));
        await Send(HttpMethod.Patch, address, $$"""{"title":"x","version":{{made.GetProperty("version")}}}""", HttpStatusCode.Conflict);

        await Send(HttpMethod.Post, $"{address}/updates", """{"message":"Over.","status":"resolved"}""", HttpStatusCode.Created);
        var whole = await Send(HttpMethod.Get, address, null, HttpStatusCode.OK);
        Assert.Equal(("resolved", 4), (whole.GetProperty("status").GetString(), whole.GetProperty("updates").GetArrayLength()));
        Assert.Equal("operational", (await Send(HttpMethod.Get, "/api/v1/components/checkout", null, HttpStatusCode.OK)).GetProperty("status").GetString());
        Assert.Empty((await Send(HttpMethod.Get, "/api/v1/incidents?open=true", null, HttpStatusCode.OK)).GetProperty("items").EnumerateArray());
        Assert.Single((await Send(HttpMethod.Get, "/api/v1/incidents", null, HttpStatusCode.OK)).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task A_past_incident_is_recorded_with_its_end_and_leaves_its_components_alone()
    {
        await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Search"}""", HttpStatusCode.Created);
        var began = DateTimeOffset.Parse((await Send(HttpMethod.Get, "/api/v1/components/search", null, HttpStatusCode.OK)).GetProperty("createdAt").GetString()!, System.Globalization.CultureInfo.InvariantCulture).AddHours(-2);
        string Past(DateTimeOffset end) =>
            $$"""{"title":"Search was away","severity":"P1","message":"Over.","status":"resolved","startedAt":"{{began:O}}","resolvedAt":"{{end:O}}","components":[{"slug":"search","status":"major_outage"}]}""";
        Assert.Equal(["resolvedAt"], Fields(await Send(HttpMethod.Post, "/api/v1/incidents", Past(began.AddHours(-1)), HttpStatusCode.UnprocessableEntity)));
        var made = await Send(HttpMethod.Post, "/api/v1/incidents", Past(began.AddHours(1)), HttpStatusCode.Created);
        var touched = made.GetProperty("components")[0];
        Assert.Equal((began.AddHours(1), began.AddHours(1)), (made.GetProperty("resolvedAt").GetDateTimeOffset(), touched.GetProperty("until").GetDateTimeOffset()));
        Assert.Equal("operational", (await Send(HttpMethod.Get, "/api/v1/components/search", null, HttpStatusCode.OK)).GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("""{"title":"t","severity":"P1","message":"m","resolvedAt":"2026-01-01T00:00:00Z"}""", "resolvedAt")]
    [InlineData("""{"severity":"P1","message":"m"}""", "title")]
    [InlineData("""{"title":"t","message":"m"}""", "severity")]
    [InlineData("""{"title":"t","severity":"P9","message":"m"}""", "severity")]
    [InlineData("""{"title":"t","severity":"P1"}""", "message")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","components":[{"slug":"no-such","status":"major_outage"}]}""", "components[0].slug")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","components":[null]}""", "components[0]")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","components":[{"slug":"known"}]}""", "components[0].status")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","impact":"maintenance"}""", "impact")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","status":"postmortem"}""", "status")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","nextUpdateBy":"2001-01-01T00:00:00Z"}""", "nextUpdateBy")]
    [InlineData("""{"title":"t","severity":"P1","message":"m","startedAt":"2001-01-01T00:00:00Z"}""", "startedAt")]
    public async Task A_refused_declaration_names_its_field(string body, string field)
    {
        await using var db = host.Database.Open();
        if (!await db.Components.AnyAsync(c => c.Slug == "known"))
            await Send(HttpMethod.Post, "/api/v1/components", """{"name":"Known","slug":"known"}""", HttpStatusCode.Created);
        Assert.Equal([field], Fields(await Send(HttpMethod.Post, "/api/v1/incidents", body, HttpStatusCode.UnprocessableEntity)));
    }

    [Fact]
    public async Task Nothing_is_read_or_written_without_a_key_or_with_a_key_that_lacks_the_scope()
    {
        var made = await Send(HttpMethod.Post, "/api/v1/api-keys", """{"name":"Reader","scopes":["ops:read"]}""", HttpStatusCode.Created);
        using var reader = host.Client(made.GetProperty("key").GetString());
        using var stranger = host.Client();
        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync("/api/v1/incidents")).StatusCode);
        foreach (var path in new[] { "/api/v1/incidents", "/api/v1/components" })
        {
            using var body = JsonContent.Create(new { title = "t", name = "n", severity = "P1", message = "m" });
            Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync(path, body)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync(path, body)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(path)).StatusCode);
        }
    }
}
