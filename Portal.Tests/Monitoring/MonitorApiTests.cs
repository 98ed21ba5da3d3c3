using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Features.Access;
using Portal.Features.StatusPages;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>Through the whole portal: key, frame, use case, engine and back.</summary>
public sealed class MonitorApiTests(PortalHost host) : IClassFixture<PortalHost>
{
    async Task<HttpClient> Client(params string[] scopes)
    {
        var made = await host.Get<CreateApiKey>().Execute(new("Test", scopes.Length > 0 ? scopes : ["monitors:read", "monitors:write", "monitors:private"]), Cast.Alice, default);
        return host.Client(made.Secret);
    }

    static async Task<JsonElement> Read(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<JsonElement>())!;

    [Fact]
    public async Task A_monitor_is_created_checked_listed_changed_paused_and_deleted()
    {
        await using var target = TargetServer.Status(200);
        using var client = await Client();
        var unsaid = await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Target", kind = "http", target = target.Address, intervalSeconds = 10, timeoutSeconds = 5 });
        Assert.Contains("allowPrivate", (await Read(unsaid)).GetProperty("errors").GetProperty("target")[0].GetString(), StringComparison.Ordinal);
        var created = await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Target", kind = "http", target = target.Address, intervalSeconds = 10, timeoutSeconds = 5, allowPrivate = true });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var monitor = await Read(created);
        var id = monitor.GetProperty("id").GetString()!;
        Assert.Equal(32, id.Length);
        Assert.Equal($"/api/v1/monitors/{id}", created.Headers.Location!.ToString());
        Assert.True(monitor.GetProperty("allowPrivate").GetBoolean());
        Assert.Equal((25, "unknown"), (monitor.GetProperty("detectsWithinSeconds").GetInt32(), monitor.GetProperty("state").GetString()));

        var checks = await Soon.Reads(() => client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}/checks?limit=1"), c => c.GetProperty("items").GetArrayLength() > 0, "a check within five seconds");
        Assert.Equal("up", checks.GetProperty("items")[0].GetProperty("outcome").GetString());
        Assert.Equal(200, checks.GetProperty("items")[0].GetProperty("statusCode").GetInt32());
        // What follows from a result is saved a moment after it.
        await Soon.Reads(async () => (await client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}")).GetProperty("state").GetString(), state => state == "up", "up");

        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync($"/api/v1/monitors/{id}/check", null)).StatusCode);
        checks = await Soon.Reads(() => client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}/checks?limit=1"), c => c.GetProperty("next").ValueKind == JsonValueKind.String, "a second check");
        var older = await client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}/checks?limit=1&after={checks.GetProperty("next").GetString()}");
        Assert.True(older.GetProperty("items")[0].GetProperty("at").GetDateTimeOffset() < checks.GetProperty("items")[0].GetProperty("at").GetDateTimeOffset());

        var page = await client.GetFromJsonAsync<JsonElement>("/api/v1/monitors?limit=1");
        Assert.Equal(1, page.GetProperty("items").GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/api/v1/monitors?after={page.GetProperty("next").GetString()}")).StatusCode);
        var invented = await client.GetAsync("/api/v1/monitors?after=0198000000007000800000000000000a");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, invented.StatusCode);
        Assert.True((await Read(invented)).GetProperty("errors").TryGetProperty("after", out _));

        var needed = (await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Needed", kind = "http", target = target.Address, allowPrivate = true, paused = true }))).GetProperty("id").GetString();
        var damped = await Read(await client.PatchAsJsonAsync($"/api/v1/monitors/{id}", new { dependsOn = new[] { needed }, dampFlapping = false }));
        Assert.Equal((needed, false, false), (damped.GetProperty("dependsOn")[0].GetString(), damped.GetProperty("dampFlapping").GetBoolean(), damped.GetProperty("flapping").GetBoolean()));
        foreach (var wrong in new object[] { new[] { id }, new[] { "no id" }, "none" })
        {
            var refused = await client.PatchAsJsonAsync($"/api/v1/monitors/{id}", new { dependsOn = wrong });
            Assert.InRange((int)refused.StatusCode, 400, 422);
            Assert.True((await Read(refused)).GetProperty("errors").EnumerateObject().All(e => e.Name.StartsWith("dependsOn", StringComparison.Ordinal)), await refused.Content.ReadAsStringAsync());
        }

        await host.Get<AddComponent>().Execute(new("Database"), Cast.Alice, default);
        var patched = await client.PatchAsJsonAsync($"/api/v1/monitors/{id}", new { name = "Renamed", component = "database" });
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);
        Assert.Equal("database", (await Read(patched)).GetProperty("component").GetString());
        var version = patched.Headers.ETag!.ToString();
        using (var stale = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/monitors/{id}") { Content = JsonContent.Create(new { name = "Late" }) })
        {
            stale.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
            Assert.Equal(HttpStatusCode.Conflict, (await client.SendAsync(stale)).StatusCode);
        }
        using (var detach = new HttpRequestMessage(HttpMethod.Patch, $"/api/v1/monitors/{id}") { Content = JsonContent.Create(new { component = (string?)null, paused = true }) })
        {
            detach.Headers.TryAddWithoutValidation("If-Match", version);
            var answer = await Read(await client.SendAsync(detach));
            Assert.Equal((JsonValueKind.Null, "paused", "Renamed"), (answer.GetProperty("component").ValueKind, answer.GetProperty("state").GetString(), answer.GetProperty("name").GetString()));
        }
        Assert.False((await Read(await client.PostAsync($"/api/v1/monitors/{id}/resume", null))).GetProperty("paused").GetBoolean());
        Assert.True((await Read(await client.PostAsync($"/api/v1/monitors/{id}/pause", null))).GetProperty("paused").GetBoolean());
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/monitors/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/api/v1/monitors/{id}")).StatusCode);
    }

    [Fact]
    public async Task A_chart_is_on_the_open_page_under_its_title_once_somebody_chooses_so_and_the_name_never_is()
    {
        const string name = "prod-db-9.internal";
        await using var target = TargetServer.Status(500);
        using var client = await Client();
        using var visitor = host.Client();
        await host.Get<AddComponent>().Execute(new("Charted"), Cast.Alice, default);
        var monitor = await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name, kind = "http", target = target.Address, component = "charted", intervalSeconds = 10, timeoutSeconds = 5, failuresBeforeDown = 1, allowPrivate = true }));
        Assert.Equal(JsonValueKind.Null, monitor.GetProperty("publicChart").ValueKind);
        var id = monitor.GetProperty("id").GetString();
        await using (var db = host.Database.Open())
        {
            var now = TimeProvider.System.GetUtcNow();
            for (var step = 1; step <= 6; step++)
                await db.Database.ExecuteSqlAsync($"insert into check_results values ({Guid.Parse(id!)}, {now.AddMinutes(-10 * step)}, {40f}, 0, 200, null, 'node', 1)");
        }
        var titled = await Read(await client.PatchAsJsonAsync($"/api/v1/monitors/{id}", new { publicChart = "  Orders & <b>payment</b> " }));
        Assert.Equal("Orders & <b>payment</b>", titled.GetProperty("publicChart").GetString());
        await Soon.Reads(() => visitor.GetStringAsync("/en/"), p => p.Contains("Orders &amp; &lt;b&gt;payment&lt;/b&gt;", StringComparison.Ordinal), "a chart with its title");
        Assert.Equal("Orders & <b>payment</b>", (await Read(await client.PatchAsJsonAsync($"/api/v1/monitors/{id}", new { critical = true }))).GetProperty("publicChart").GetString());
        // Its outage is told of, too.
        await Soon.Reads(() => visitor.GetStringAsync("/components/charted"), p => p.Contains("Found by our monitoring", StringComparison.Ordinal), "the outage as evidence of the day");
        foreach (var path in new[] { "/en/", "/de/", "/components/charted", "/de/components/charted", "/history", "/history.rss", "/history.atom", "/badge/charted.svg", "/api/v2/summary.json", "/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/status.json" })
            Assert.DoesNotContain(name, await visitor.GetStringAsync(path), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, (await Read(await client.PatchAsJsonAsync($"/api/v1/monitors/{id}", new { publicChart = (string?)null }))).GetProperty("publicChart").ValueKind);
        await Soon.Reads(() => visitor.GetStringAsync("/en/"), p => !p.Contains("payment&lt;", StringComparison.Ordinal), "no chart any more");
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/monitors/{id}")).StatusCode);
    }

    [Fact]
    public async Task A_port_is_watched_as_a_page_is()
    {
        await using var redis = await RedisServer.Start();
        using var client = await Client();
        var ids = new List<string>();
        foreach (var kind in (string[])["tcp", "redis", "smtp"])
        {
            var created = await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name = $"Cache by {kind}", kind, target = $"127.0.0.1:{redis.Port}", intervalSeconds = 10, timeoutSeconds = 2, failuresBeforeDown = 1, allowPrivate = true }));
            Assert.Equal((kind, $"{kind}://127.0.0.1:{redis.Port}"), (created.GetProperty("kind").GetString(), created.GetProperty("target").GetString()));
            ids.Add(created.GetProperty("id").GetString()!);
        }
        async Task Turns(string id, string state) => await Soon.Reads(() => client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors/{id}"), m => m.GetProperty("state").GetString() == state, state);
        await Turns(ids[0], "up");
        await Turns(ids[1], "up");
        // Redis waits for a command and is no mail server.
        await Turns(ids[2], "down");
        await redis.DisposeAsync();
        foreach (var id in ids) Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync($"/api/v1/monitors/{id}/check", null)).StatusCode);
        await Turns(ids[0], "down");
        await Turns(ids[1], "down");
        var websocket = await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Hub", kind = "websocket", target = "wss://chat.example.com/live", paused = true }));
        Assert.Equal("websocket", websocket.GetProperty("kind").GetString());
        var certificate = await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Certificate", kind = "tls", target = "shop.example.com", paused = true }));
        Assert.Equal(("tls://shop.example.com:443", 14), (certificate.GetProperty("target").GetString(), certificate.GetProperty("expectCertificateDays").GetInt32()));
        certificate = await Read(await client.PatchAsJsonAsync($"/api/v1/monitors/{certificate.GetProperty("id").GetString()}", new { expectCertificateDays = 30 }));
        Assert.Equal(30, certificate.GetProperty("expectCertificateDays").GetInt32());
    }

    [Fact]
    public async Task Tags_are_cleaned_kept_taken_back_and_found_by()
    {
        using var client = await Client();
        async Task<List<string?>> Found(string query) => [.. (await client.GetFromJsonAsync<JsonElement>($"/api/v1/monitors?{query}")).GetProperty("items").EnumerateArray().Select(m => m.GetProperty("name").GetString())];
        static string Tags(JsonElement monitor) => string.Join(' ', monitor.GetProperty("tags").EnumerateArray().Select(t => t.GetString()));
        var first = await Read(await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Labelled", kind = "dns", target = "labelled.example.com", paused = true, tags = new[] { "Shop", "env:prod", " shop " } }));
        Assert.Equal("env:prod shop", Tags(first));
        await client.PostAsJsonAsync("/api/v1/monitors", new { name = "Labelled too", kind = "tls", target = "labelled.example.com", paused = true, tags = new[] { "shop" } });
        Assert.Equal(["Labelled", "Labelled too"], await Found("tag=SHOP"));
        Assert.Equal(["Labelled"], await Found("tag=env:prod"));
        Assert.Equal(["Labelled too"], await Found("tag=shop&kind=tls&state=paused&q=labelled"));
        Assert.Empty(await Found("tag=sho"));
        var address = $"/api/v1/monitors/{first.GetProperty("id").GetString()}";
        Assert.Equal("env:prod shop", Tags(await Read(await client.PatchAsJsonAsync(address, new { name = "Labelled still" }))));
        Assert.Equal("env:test", Tags(await Read(await client.PatchAsJsonAsync(address, new { tags = new[] { "env:test" } }))));
        Assert.Equal("", Tags(await Read(await client.PatchAsJsonAsync(address, new { tags = Array.Empty<string>() }))));
        foreach (var query in (string[])["kind=fax", "state=ill", "state=1000"]) Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.GetAsync($"/api/v1/monitors?{query}")).StatusCode);
    }

    [Theory]
    [InlineData("""{"name":"x","kind":"dns","target":"x.example.com","tags":["two words"]}""", "tags", "cannot be a tag")]
    [InlineData("""{"name":"x","kind":"dns","target":"x.example.com","tags":[null]}""", "tags", "1 to 50 characters")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","publicChart":"two\nlines"}""", "publicChart", "one line")]
    [InlineData("""{"name":"x","kind":"dns","target":"https://shop.example/"}""", "target", "name in the DNS")]
    [InlineData("""{"name":"x","kind":"dns","target":"shop.example","recordType":"SRV"}""", "recordType", "one of: A, AAAA")]
    [InlineData("""{"name":"x","kind":"dns","target":"shop.example","resolver":"http://x/"}""", "resolver", "9.9.9.9")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","method":"BREW"}""", "method", "one of: GET")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","body":"x"}""", "method", "POST")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","expectPattern":"("}""", "expectPattern", "no regular expression")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","expectJsonPath":"status"}""", "expectJsonPath", "begins with $")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","query":"select 1"}""", "query", "those of the kind postgres do")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","secrets":{"Host":"x"}}""", "secrets", "cannot be the name")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","secrets":{"X-Key":"a\nb"}}""", "secrets", "cannot be sent")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","secrets":{"X-Key":null}}""", "secrets", "Enter the value")]
    [InlineData("""{"name":"x","kind":"postgres","target":"postgres://u:p@db.example/shop"}""", "target", "must not contain a password")]
    [InlineData("""{"name":"x","kind":"postgres","target":"postgres://u@db.example/shop","query":"delete from orders"}""", "query", "reads")]
    [InlineData("""{"name":"x","kind":"heartbeat"}""", "periodSeconds", "period, or a crontab")]
    [InlineData("""{"name":"x","kind":"heartbeat","cron":"0 25 * * *"}""", "cron", "0 to 23")]
    [InlineData("""{"name":"x","kind":"heartbeat","cron":"0 2 30 2 *"}""", "cron", "never comes")]
    [InlineData("""{"name":"x","kind":"heartbeat","cron":"0 2 * * *","zone":"Mars/Phobos"}""", "zone", "no such zone")]
    [InlineData("""{"name":"x","kind":"icmp","target":"router.example:7"}""", "target", "no port")]
    [InlineData("""{"name":"x","kind":"tcp","target":"https://shop.example/"}""", "target", "begins with tcp://")]
    [InlineData("""{"name":"x","kind":"tls","target":"shop.example","expectCertificateDays":0}""", "expectCertificateDays", "1 to 365 days")]
    [InlineData("""{"name":"x","kind":"telepathy","target":"https://shop.example/"}""", "kind", "no such kind")]
    [InlineData("""{"name":"","kind":"http","target":"https://shop.example/"}""", "name", "required")]
    [InlineData("""{"name":"x","kind":"http","target":"ftp://shop.example/"}""", "target", "http")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","intervalSeconds":5}""", "intervalSeconds", "10 seconds")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","intervalSeconds":1e9}""", "intervalSeconds", "10 seconds")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","intervalSeconds":-1e300}""", "intervalSeconds", "10 seconds")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","intervalSeconds":10.5}""", "intervalSeconds", "whole number")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","timeoutSeconds":90}""", "timeoutSeconds", "60")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","component":"nothing"}""", "component", "no component")]
    [InlineData("""{"name":"x","kind":"http","target":"https://shop.example/","impact":"operational"}""", "impact", "failing monitor")]
    public async Task What_a_rule_refuses_names_its_field(string body, string field, string words)
    {
        using var client = await Client();
        var response = await client.PostAsync("/api/v1/monitors", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Contains(words, (await Read(response)).GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_key_without_the_scope_cannot_reach_private_addresses_nor_write()
    {
        using var staff = await Client("monitors:read", "monitors:write");
        var refused = await staff.PostAsJsonAsync("/api/v1/monitors", new { name = "x", kind = "http", target = "http://127.0.0.1:9/" });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Contains("administrator", (await Read(refused)).GetProperty("errors").GetProperty("target")[0].GetString(), StringComparison.Ordinal);
        using var reader = await Client("monitors:read");
        Assert.Equal(HttpStatusCode.OK, (await reader.GetAsync("/api/v1/monitors")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsJsonAsync("/api/v1/monitors", new { name = "x", kind = "http", target = "https://shop.example/" })).StatusCode);
        using var nobody = host.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/api/v1/monitors")).StatusCode);
    }

    [Fact]
    public async Task The_metrics_show_how_many_are_watched_and_what_waits_or_was_given_up()
    {
        using var client = host.Client();
        var text = await Soon.Reads(() => client.GetStringAsync("/metrics"), t => System.Text.RegularExpressions.Regex.IsMatch(t, @"\nportal_monitors_watched [1-9]\d\n"), "the ten first monitors in the metrics");
        Assert.Contains("\nportal_checks_dropped_total 0\n", text, StringComparison.Ordinal);
        Assert.Contains("\nportal_checks_waiting ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ten_first_monitors_look_at_this_very_portal()
    {
        using var client = await Client();
        var items = await Soon.Reads(async () => (await client.GetFromJsonAsync<JsonElement>("/api/v1/monitors?limit=200")).GetProperty("items").EnumerateArray()
                .Where(m => m.GetProperty("builtIn").GetBoolean()).ToList(), m => m.Count == 10 && m.All(i => i.GetProperty("lastCheckAt").ValueKind == JsonValueKind.String), "a check of each part");
        Assert.Equal("up", items.Single(m => m.GetProperty("name").GetString() == "Database").GetProperty("state").GetString());
        Assert.Equal(("websocket", "up"), (items.Single(m => m.GetProperty("name").GetString() == "Live hub").GetProperty("kind").GetString(), items.Single(m => m.GetProperty("name").GetString() == "Live hub").GetProperty("state").GetString()));
        Assert.Equal("unknown", items.Single(m => m.GetProperty("name").GetString() == "Mail").GetProperty("state").GetString());
        Assert.DoesNotContain(items, m => m.GetProperty("state").GetString() == "down");
    }
}
