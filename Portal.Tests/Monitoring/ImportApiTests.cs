using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Portal.Features.Access;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

public sealed class ImportApiTests(PortalHost host) : IClassFixture<PortalHost>
{
    static StringContent Table(string text) => new(text, Encoding.UTF8, "text/csv");

    static async Task<JsonElement> Read(HttpResponseMessage response) => await response.Content.ReadFromJsonAsync<JsonElement>();

    [Fact]
    public async Task A_table_is_tried_taken_in_exported_and_taken_back_by_api()
    {
        using var client = host.Client((await host.Get<CreateApiKey>().Execute(new("Imports", ["monitors:read", "monitors:write"]), Cast.Alice, default)).Secret);
        const string text = "name,kind,target,paused,periodSeconds,tags\nBy api,tcp,93.184.216.34:443,true,,api\nBy api job,heartbeat,,,3600,api";
        var dry = await Read(await client.PostAsync("/api/v1/monitors/import?dryRun=true", Table(text)));
        Assert.Equal((2, JsonValueKind.Null, "create"), (dry.GetProperty("created").GetInt32(), dry.GetProperty("import").ValueKind, dry.GetProperty("monitors")[0].GetProperty("step").GetString()));
        Assert.Empty((await client.GetFromJsonAsync<JsonElement>("/api/v1/monitors?tag=api")).GetProperty("items").EnumerateArray());

        var answer = await client.PostAsync("/api/v1/monitors/import?fileName=team.csv", Table(text));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var done = await Read(answer);
        Assert.Contains("/api/v1/heartbeats/", done.GetProperty("heartbeats")[0].GetProperty("heartbeatUrl").GetString(), StringComparison.Ordinal);
        Assert.Contains("By api,tcp,tcp://93.184.216.34:443", await client.GetStringAsync("/api/v1/monitors/export"), StringComparison.Ordinal);

        foreach (var (content, status) in new (HttpContent, HttpStatusCode)[]
        {
            (Table(text), HttpStatusCode.UnprocessableEntity), (Table("name\n"), HttpStatusCode.UnprocessableEntity), (Table("{}"), HttpStatusCode.UnprocessableEntity), (Table(""), HttpStatusCode.UnprocessableEntity),
            (new StringContent("{\"version\":\"9\",\"monitorList\":[]}", Encoding.UTF8, "application/json"), HttpStatusCode.UnprocessableEntity), (new StringContent("x", Encoding.UTF8, "text/plain"), HttpStatusCode.UnprocessableEntity),
            (Table(new string('a', 6 * 1024 * 1024)), HttpStatusCode.UnprocessableEntity),
        })
            Assert.Equal(status, (await client.PostAsync("/api/v1/monitors/import", content)).StatusCode);

        var undone = await Read(await client.PostAsync($"/api/v1/monitors/imports/{done.GetProperty("import").GetString()}/undo", null));
        Assert.Equal(2, undone.GetProperty("deleted").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/api/v1/monitors/imports/nothing/undo", null)).StatusCode);
        using var reader = host.Client((await host.Get<CreateApiKey>().Execute(new("Reads", ["monitors:read"]), Cast.Alice, default)).Secret);
        Assert.Equal(HttpStatusCode.Forbidden, (await reader.PostAsync("/api/v1/monitors/import?dryRun=true", Table(text))).StatusCode);
        using var nobody = host.Client();
        Assert.NotEqual(HttpStatusCode.OK, (await nobody.GetAsync("/ops/monitors/export")).StatusCode);
    }
}
