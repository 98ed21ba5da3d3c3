using System.Net;
using System.Text.Json;
using Portal.Tests.Support;

namespace Portal.Tests.Maintenance;

public sealed class MaintenanceApiTests : IAsyncLifetime
{
    const string Key = "bootstrap-key-of-the-tests", Path = "/api/v1/maintenances";
    PortalHost host = null!;
    HttpClient client = null!;

    static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

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

    async Task<JsonElement> Send(HttpMethod method, string path, object? body, HttpStatusCode expected, string? idempotent = null, HttpClient? with = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json");
        if (idempotent is not null) request.Headers.Add("Idempotency-Key", idempotent);
        using var answer = await (with ?? client).SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(expected == answer.StatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    static string[] Fields(JsonElement problem) => [.. problem.GetProperty("errors").EnumerateObject().Select(e => e.Name)];

    static object Body(string title = "Upgrade", double from = 60, double to = 120, params string[] slugs) => new
    {
        title,
        message = "Saving may fail.",
        startsAt = Now.AddMinutes(from),
        endsAt = Now.AddMinutes(to),
        components = slugs.Select(slug => new { slug }),
    };

    [Fact]
    public async Task What_began_by_itself_stands_in_the_archive_of_its_month_without_another_change()
    {
        await Send(HttpMethod.Post, "/api/v1/components", new { name = "Archive" }, HttpStatusCode.Created);
        await Send(HttpMethod.Post, Path, Body("Began by itself", 3 / 60.0, 60, "archive"), HttpStatusCode.Created);
        using var visitor = host.Client();
        var month = $"/history/{Now:yyyy-MM}";
        // Read before it began, so that this page is kept.
        await visitor.GetStringAsync(month);
        await Soon.Comes(async () => (await visitor.GetStringAsync(month)).Contains("Began by itself", StringComparison.Ordinal), "the window in the archive");
    }

    [Fact]
    public async Task A_maintenance_is_scheduled_changed_run_and_read_back()
    {
        await Send(HttpMethod.Post, "/api/v1/components", new { name = "Orders" }, HttpStatusCode.Created);
        var made = await Send(HttpMethod.Post, Path, Body("Upgrade", 60, 120, "orders"), HttpStatusCode.Created);
        var one = $"{Path}/{made.GetProperty("id").GetString()}";
        Assert.Equal(("scheduled", "UTC", "orders"), (made.GetProperty("status").GetString(), made.GetProperty("zone").GetString(), made.GetProperty("components")[0].GetProperty("slug").GetString()));

        // What was read can be sent back and changes nothing.
        var same = await Send(HttpMethod.Patch, one, new { startsAt = made.GetProperty("startsAt").GetString(), endsAt = made.GetProperty("endsAt").GetString(), verifyMinutes = 10 }, HttpStatusCode.OK);
        Assert.Equal((made.GetProperty("startsAt").GetString(), 10), (same.GetProperty("startsAt").GetString(), same.GetProperty("verifyMinutes").GetInt32()));
        await Send(HttpMethod.Patch, one, new { title = "Stale", version = made.GetProperty("version").GetUInt32() }, HttpStatusCode.Conflict);

        var note = await Send(HttpMethod.Post, one + "/updates", new { message = "Among us.", visibility = "internal" }, HttpStatusCode.Created);
        Assert.Equal("internal", note.GetProperty("visibility").GetString());
        Assert.Equal("in_progress", (await Send(HttpMethod.Patch, one, new { status = "in_progress" }, HttpStatusCode.OK)).GetProperty("status").GetString());
        Assert.Equal("under_maintenance", (await Send(HttpMethod.Get, "/api/v1/components/orders", null, HttpStatusCode.OK)).GetProperty("status").GetString());
        Assert.Equal(["startsAt"], Fields(await Send(HttpMethod.Patch, one, new { startsAt = Now.AddHours(2) }, HttpStatusCode.UnprocessableEntity)));
        Assert.Equal(["status"], Fields(await Send(HttpMethod.Delete, one, null, HttpStatusCode.UnprocessableEntity)));
        Assert.Equal("verifying", (await Send(HttpMethod.Patch, one, new { status = "verifying" }, HttpStatusCode.OK)).GetProperty("status").GetString());
        var ended = await Send(HttpMethod.Patch, one, new { status = "completed" }, HttpStatusCode.OK);
        Assert.Equal(("completed", JsonValueKind.String), (ended.GetProperty("status").GetString(), ended.GetProperty("completedAt").ValueKind));
        Assert.Contains(ended.GetProperty("updates").EnumerateArray(), u => u.GetProperty("status").GetString() == "completed" && u.GetProperty("author").ValueKind == JsonValueKind.Null);
        Assert.Equal("operational", (await Send(HttpMethod.Get, "/api/v1/components/orders", null, HttpStatusCode.OK)).GetProperty("status").GetString());
        Assert.Equal(["status"], Fields(await Send(HttpMethod.Patch, one, new { title = "Too late" }, HttpStatusCode.UnprocessableEntity)));
    }

    [Fact]
    public async Task Delete_cancels_and_what_is_cancelled_stays_readable_and_can_come_back()
    {
        var one = $"{Path}/{(await Send(HttpMethod.Post, Path, Body(), HttpStatusCode.Created)).GetProperty("id").GetString()}";
        await Send(HttpMethod.Delete, one, null, HttpStatusCode.NoContent);
        Assert.Equal("cancelled", (await Send(HttpMethod.Get, one, null, HttpStatusCode.OK)).GetProperty("status").GetString());
        await Send(HttpMethod.Delete, one, null, HttpStatusCode.UnprocessableEntity);
        Assert.Equal("scheduled", (await Send(HttpMethod.Patch, one, new { status = "scheduled" }, HttpStatusCode.OK)).GetProperty("status").GetString());
        await Send(HttpMethod.Get, $"{Path}/0198a1b2c3d47e5f8a9b0c1d2e3f4a5b", null, HttpStatusCode.NotFound);
        await Send(HttpMethod.Delete, $"{Path}/nonsense", null, HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("""{"message":"m","startsAt":"2099-01-01T00:00:00Z","endsAt":"2099-01-01T01:00:00Z"}""", "startsAt")]
    [InlineData("""{"title":"t","message":"m","startsAt":"2020-01-01T00:00:00Z","endsAt":"2020-01-01T01:00:00Z"}""", "startsAt")]
    [InlineData("""{"title":"t","message":"m","endsAt":"2099-01-01T01:00:00Z"}""", "startsAt")]
    [InlineData("""{"title":"t","message":"m","startsAt":"tomorrow"}""", "startsAt")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+1"}""", "endsAt")]
    [InlineData("""{"message":"m","startsAt":"NOW+1","endsAt":"NOW+2"}""", "title")]
    [InlineData("""{"title":"t","startsAt":"NOW+1","endsAt":"NOW+2"}""", "message")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+2","zone":"Berlin"}""", "zone")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+2","verifyMinutes":60}""", "verifyMinutes")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+2","components":[{"slug":"nothing"}]}""", "components[0].slug")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+2","components":["nothing"]}""", "components[0].slug")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+2","components":[7]}""", "components[0]")]
    [InlineData("""{"title":"t","message":"m","startsAt":"NOW+1","endsAt":"NOW+2","components":[{"slug":"status","status":"major_outage"}]}""", "components[0].status")]
    public async Task A_refusal_names_the_field(string body, string field)
    {
        foreach (var hours in new[] { 1, 2 }) body = body.Replace($"NOW+{hours}", Now.Date.AddDays(1).AddHours(hours).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.Equal([field], Fields(await Send(HttpMethod.Post, Path, body, HttpStatusCode.UnprocessableEntity)));
    }

    [Fact]
    public async Task Lists_go_on_by_cursor_and_a_write_that_is_repeated_is_done_once()
    {
        foreach (var i in Enumerable.Range(0, 3)) await Send(HttpMethod.Post, Path, Body($"Listed {i}", 60 * (i + 1), 60 * (i + 2)), HttpStatusCode.Created);
        var (titles, after) = (new List<string>(), "");
        do
        {
            var page = await Send(HttpMethod.Get, $"{Path}?over=false&limit=2{after}", null, HttpStatusCode.OK);
            titles.AddRange(page.GetProperty("items").EnumerateArray().Select(m => m.GetProperty("title").GetString()!));
            after = page.GetProperty("next").GetString() is { } next ? $"&after={next}" : "";
        } while (after.Length > 0);
        Assert.Equal(["Listed 0", "Listed 1", "Listed 2"], titles);
        Assert.Empty((await Send(HttpMethod.Get, $"{Path}?over=true", null, HttpStatusCode.OK)).GetProperty("items").EnumerateArray());

        var body = JsonSerializer.Serialize(Body("Once"));
        var first = await Send(HttpMethod.Post, Path, body, HttpStatusCode.Created, "the-same");
        Assert.Equal(first.GetProperty("id").GetString(), (await Send(HttpMethod.Post, Path, body, HttpStatusCode.Created, "the-same")).GetProperty("id").GetString());
        Assert.Single((await Send(HttpMethod.Get, Path, null, HttpStatusCode.OK)).GetProperty("items").EnumerateArray(), m => m.GetProperty("title").GetString() == "Once");
    }

    [Fact]
    public async Task A_key_needs_the_scope_and_components_may_be_named_by_slug_alone()
    {
        var key = await Send(HttpMethod.Post, "/api/v1/api-keys", new { name = "Reader", scopes = new[] { "ops:read" } }, HttpStatusCode.Created);
        using var reader = host.Client(key.GetProperty("key").GetString()!);
        await Send(HttpMethod.Get, Path, null, HttpStatusCode.OK, with: reader);
        await Send(HttpMethod.Post, Path, Body(), HttpStatusCode.Forbidden, with: reader);
        var writer = await Send(HttpMethod.Post, "/api/v1/api-keys", new { name = "Writer", scopes = new[] { "maintenance:write" } }, HttpStatusCode.Created);
        using var allowed = host.Client(writer.GetProperty("key").GetString()!);
        await Send(HttpMethod.Post, "/api/v1/components", new { name = "By word" }, HttpStatusCode.Created);
        var made = await Send(HttpMethod.Post, Path, new { title = "t", message = "m", startsAt = Now.AddHours(1), endsAt = Now.AddHours(2), components = new[] { "by-word" } }, HttpStatusCode.Created, with: allowed);
        Assert.Equal("by-word", made.GetProperty("components")[0].GetProperty("slug").GetString());
    }
}
