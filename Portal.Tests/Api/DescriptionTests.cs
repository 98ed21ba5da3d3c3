using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Domain.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Api;

public class DescriptionTests(PortalHost host) : IClassFixture<PortalHost>
{
    [Fact]
    public async Task The_management_api_is_described_with_scopes_problems_and_idempotency()
    {
        using var client = host.Client();
        var document = await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var paths = document.GetProperty("paths").EnumerateObject().ToList();
        Assert.NotEmpty(paths);
        Assert.All(paths, p => Assert.StartsWith("/api/v1/", p.Name, StringComparison.Ordinal));
        foreach (var (path, method, operation) in from p in paths from o in p.Value.EnumerateObject() select (p.Name, o.Name, o.Value))
        {
            Assert.True(operation.TryGetProperty("x-scopes", out var scopes), $"{method} {path} names no scope");
            Assert.All(scopes.EnumerateArray(), s => Assert.Contains(s.GetString(), Permissions.Scopes));
            foreach (var status in new[] { "401", "403", "429", "503" }) Assert.True(operation.GetProperty("responses").TryGetProperty(status, out _), $"{method} {path} does not tell of {status}");
            if (method != "get") Assert.Contains(operation.GetProperty("parameters").EnumerateArray(), p => p.GetProperty("name").GetString() == "Idempotency-Key");
        }
        Assert.True(document.GetProperty("components").GetProperty("schemas").TryGetProperty("Problem", out _));
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
                Assert.Equal((method.Name, address, 401), (method.Name, address, (int)answer.StatusCode));
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
