using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Domain.Access;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

public class DescriptionTests(PortalHost host) : IClassFixture<PortalHost>
{
    async Task<string> Key() => (await host.Get<CreateApiKey>().Execute(new("Test", [.. Permissions.Scopes]), Cast.Alice, default)).Secret;

    [Fact]
    public async Task The_management_api_is_described_with_scopes_problems_and_idempotency()
    {
        using var client = host.Client();
        var document = await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var paths = document.GetProperty("paths").EnumerateObject().ToList();
        Assert.NotEmpty(paths);
        Assert.All(paths, p => Assert.True(p.Name.StartsWith("/api/v1/", StringComparison.Ordinal) || p.Name == "/v2/enqueue", p.Name));
        foreach (var (path, method, operation) in from p in paths from o in p.Value.EnumerateObject() select (p.Name, o.Name, o.Value))
        {
            // Called by jobs and other systems: the key is in the address, or in the body.
            if (path.StartsWith("/api/v1/heartbeats/", StringComparison.Ordinal) || path.StartsWith("/api/v1/hooks/", StringComparison.Ordinal) || path == "/v2/enqueue")
            {
                Assert.Empty(operation.GetProperty("security").EnumerateArray());
                continue;
            }
            Assert.True(operation.TryGetProperty("x-scopes", out var scopes), $"{method} {path} names no scope");
            Assert.All(scopes.EnumerateArray(), s => Assert.Contains(s.GetString(), Permissions.Scopes));
            foreach (var status in new[] { "401", "403", "429", "503" }) Assert.True(operation.GetProperty("responses").TryGetProperty(status, out _), $"{method} {path} does not tell of {status}");
            if (method != "get") Assert.Contains(operation.GetProperty("parameters").EnumerateArray(), p => p.GetProperty("name").GetString() == "Idempotency-Key");
        }
        Assert.True(document.GetProperty("components").GetProperty("schemas").TryGetProperty("Problem", out _));
    }

    [Fact]
    public async Task Only_what_a_request_cannot_do_without_is_described_as_required()
    {
        using var client = host.Client();
        var schemas = (await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json")).GetProperty("components").GetProperty("schemas");
        string[] Required(string name) => schemas.GetProperty(name).TryGetProperty("required", out var required) ? [.. required.EnumerateArray().Select(r => r.GetString()!).Order()] : [];
        Assert.Equal(["name"], Required("NewComponent"));
        Assert.Equal(["message", "severity", "title"], Required("NewIncident"));
        Assert.Equal(["message"], Required("NewUpdate"));
        Assert.Equal(["kind", "name"], Required("NewMonitor"));
        Assert.All(schemas.EnumerateObject().Where(s => s.Name.EndsWith("Patch", StringComparison.Ordinal) && s.Name != "UpdatePatch"), s => Assert.Empty(Required(s.Name)));
        string Described(string body, string field)
        {
            var property = schemas.GetProperty(body).GetProperty("properties").GetProperty(field);
            return (property.TryGetProperty("$ref", out var other) ? schemas.GetProperty(other.GetString()!.Split('/')[^1]) : property).ToString();
        }
        var promise = Described("NewIncident", "nextUpdateBy");
        Assert.Contains("date-time", promise, StringComparison.Ordinal);
        Assert.Contains("null", promise, StringComparison.Ordinal);
        Assert.Contains("major_outage", Described("ComponentPatch", "status"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/components", """{"name":"Only a name"}""")]
    [InlineData("/api/v1/incidents", """{"title":"Short","severity":"P3","message":"Nothing else."}""")]
    [InlineData("/api/v1/monitors", """{"name":"Only what is needed","kind":"http","target":"https://shop.example/"}""")]
    public async Task A_body_with_just_the_required_fields_is_taken(string path, string body)
    {
        using var client = host.Client(await Key());
        using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body, System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(System.Net.HttpStatusCode.Created, answer.StatusCode);
    }

    [Theory]
    [InlineData("POST", "/api/v1/subscribers", 404, "not part of this version")]
    [InlineData("GET", "/api/v1/alert-tests", 404, "not part of this version")]
    [InlineData("PUT", "/api/v1/nothing", 404, "unknown")]
    [InlineData("DELETE", "/api/v1/incidents", 405, "Allow")]
    public async Task An_address_that_is_none_says_so_to_whoever_has_a_key(string method, string path, int status, string words)
    {
        using var stranger = host.Client();
        using var unknown = await stranger.SendAsync(new HttpRequestMessage(HttpMethod.Parse(method), path));
        Assert.Equal(401, (int)unknown.StatusCode);
        using var client = host.Client(await Key());
        using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Parse(method), path));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(words, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        if (status == 405) Assert.Equal(["GET", "POST"], answer.Content.Headers.Allow.Order());
    }

    [Fact]
    public async Task Every_management_endpoint_asks_for_a_key()
    {
        using var client = host.Client();
        var document = await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
            foreach (var method in path.Value.EnumerateObject())
            {
                var address = Regex.Replace(path.Name, @"\{[^}]+\}", "0198000000007000800000000000000a");
                using var answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Parse(method.Name), address));
                var expected = path.Name == "/v2/enqueue" ? 400 : path.Name.StartsWith("/api/v1/heartbeats/", StringComparison.Ordinal) || path.Name.StartsWith("/api/v1/hooks/", StringComparison.Ordinal) ? 404 : 401;
                Assert.Equal((method.Name, address, expected), (method.Name, address, (int)answer.StatusCode));
            }
    }

    [Fact]
    public async Task The_readable_page_shows_every_address_of_both_without_a_script()
    {
        using var client = host.Client();
        using var answer = await client.GetAsync("/docs");
        var html = await answer.Content.ReadAsStringAsync();
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("style=", html, StringComparison.OrdinalIgnoreCase);
        foreach (var version in new[] { "v1", "v2" })
            foreach (var path in (await client.GetFromJsonAsync<JsonElement>($"/openapi/{version}.json")).GetProperty("paths").EnumerateObject())
                Assert.Contains($" {path.Name}</code>", html, StringComparison.Ordinal);
        Assert.Contains("id=\"problem-conflict\"", html, StringComparison.Ordinal);
        Assert.Contains("Retry-After", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_described_fields_of_the_read_api_are_those_of_its_examples()
    {
        using var client = host.Client();
        var document = await client.GetFromJsonAsync<JsonElement>("/openapi/v2.json");
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            var content = path.Value.GetProperty("get").GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json");
            var schema = document.GetProperty("components").GetProperty("schemas").GetProperty(content.GetProperty("schema").GetProperty("$ref").GetString()!.Split('/')[^1]);
            Assert.Equal(schema.GetProperty("required").EnumerateArray().Select(r => r.GetString()).Order(), content.GetProperty("example").EnumerateObject().Select(p => (string?)p.Name).Order());
            Feeds.StrictReader.Check(path.Name, content.GetProperty("example"));
        }
    }
}
