using System.Text.Json;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;

namespace Portal.Tests.Monitoring;

public class JsonPathTests
{
    const string Document = """{"status":"ok","n":1.50,"items":[{"state":"up"},{"state":"down"}],"my-name":{"a b":true},"none":null,"it's":"quoted"}""";

    [Theory]
    [InlineData("$.status", "ok")]
    [InlineData("$.n", "1.50")]
    [InlineData("$.none", "null")]
    [InlineData("$.items[0].state", "up")]
    [InlineData("$.items[-1].state", "down")]
    [InlineData("$.items[*].state", "up", "down")]
    [InlineData("$.items.*.state", "up", "down")]
    [InlineData("$['my-name'][\"a b\"]", "true")]
    [InlineData(@"$['it\'s']", "quoted")]
    [InlineData("$.items[2].state")]
    [InlineData("$.status.deeper")]
    [InlineData("$.items.state")]
    public void A_path_leads_to_what_stands_there(string path, params string[] found)
    {
        using var document = JsonDocument.Parse(Document);
        Assert.Equal(found, JsonPath.Parse(path).Find(document.RootElement));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("$status")]
    [InlineData("$.")]
    [InlineData("$..status")]
    [InlineData("$.items[")]
    [InlineData("$.items[0")]
    [InlineData("$.items[0:2]")]
    [InlineData("$.items[?(@.state)]")]
    [InlineData("$['open")]
    [InlineData("$['a'b]")]
    [InlineData("$.my-name")]
    public void Anything_else_is_refused(string path) => Assert.Equal("expectJsonPath", Assert.Throws<DomainException>(() => JsonPath.Parse(path)).Field);
}
