using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.Tests.Support;

namespace Portal.Tests.Drills;

/// <summary>Drills as a script asks for them, in a whole portal.</summary>
public sealed class DrillsApiTests(DrillsApiTests.Unattended host) : IClassFixture<DrillsApiTests.Unattended>
{
    const string Key = "drills-api-0123456789abcdef0123456789abcdef";

    public sealed class Unattended : IAsyncLifetime
    {
        public PortalHost Portal { get; } = new()
        {
            Configuration = { ["Bootstrap:AdminEmail"] = "alice@example.com", ["Bootstrap:AdminPassword"] = "correct horse battery", ["Bootstrap:ApiKey"] = Key },
        };

        public Task InitializeAsync() => Portal.InitializeAsync();

        public Task DisposeAsync() => Portal.DisposeAsync();
    }

    readonly HttpClient api = host.Portal.Client(Key);

    async Task<JsonElement> Made(string path, object body, HttpStatusCode expected)
    {
        var answer = await api.PostAsJsonAsync(path, body);
        Assert.True(answer.StatusCode == expected, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    async Task<string?> Refused(string path, object body) => (await Made(path, body, HttpStatusCode.UnprocessableEntity)).GetProperty("errors").EnumerateObject().Single().Name;

    Task<JsonElement> Over(JsonElement job) => Soon.Reads(() => api.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{job.GetProperty("id").GetString()}"), j => j.GetProperty("finishedAt").ValueKind == JsonValueKind.String, "the job is over");

    [Fact]
    public async Task The_portals_own_database_is_drilled_from_the_first_start_on_and_everything_can_be_read()
    {
        Assert.Equal("succeeded", (await Over(await Made("/api/v1/backups", new { target = "portal" }, HttpStatusCode.Accepted))).GetProperty("state").GetString());
        var job = await Over(await Made("/api/v1/drills", new { scenario = "database-lost" }, HttpStatusCode.Accepted));
        Assert.Equal(("succeeded", "drill"), (job.GetProperty("state").GetString(), job.GetProperty("kind").GetString()));
        var id = job.GetProperty("result").GetProperty("drill").GetString();
        Assert.Equal(job.GetProperty("id").GetString(), id);

        var drill = (await api.GetFromJsonAsync<JsonElement>("/api/v1/drills?target=portal")).GetProperty("items")[0];
        Assert.Equal((id, "database-lost", "portal", "passed", true, 3_600), (drill.GetProperty("id").GetString(), drill.GetProperty("scenario").GetString(), drill.GetProperty("target").GetString(), drill.GetProperty("state").GetString(), drill.GetProperty("metRecovery").GetBoolean(), drill.GetProperty("recoveryObjectiveSeconds").GetDouble()));
        var report = await api.GetFromJsonAsync<JsonElement>($"/api/v1/drills/{id}");
        Assert.True(report.GetProperty("whole").GetBoolean());
        Assert.Equal(64, report.GetProperty("seal").GetString()!.Length);
        Assert.Equal(["An administrator can sign in", "The portal watches itself"], report.GetProperty("checks").EnumerateArray().Select(c => c.GetProperty("name").GetString()!));
        Assert.All(report.GetProperty("checks").EnumerateArray(), c => Assert.True(c.GetProperty("passed").GetBoolean(), c.ToString()));
        Assert.Equal(6, report.GetProperty("phases").GetArrayLength());

        var schedule = (await api.GetFromJsonAsync<JsonElement>("/api/v1/job-schedules")).GetProperty("items").EnumerateArray().Single(s => s.GetProperty("kind").GetString() == "drill");
        Assert.Equal("47 4 * * 0", schedule.GetProperty("cron").GetString());
        // The evidence as one file is for who is signed in: a key of the API does not open pages.
        Assert.Equal(HttpStatusCode.Found, (await host.Portal.Client().GetAsync($"/admin/drills/{id}/report")).StatusCode);
    }

    [Fact]
    public async Task What_is_asked_for_wrongly_is_refused_by_its_field_and_never_as_a_fault()
    {
        Assert.Equal("scenario", await Refused("/api/v1/drills", new { scenario = "flood" }));
        Assert.Equal("scenario", await Refused("/api/v1/drills", new { target = "portal" }));
        Assert.Equal("target", await Refused("/api/v1/drills", new { scenario = "database-lost", target = "nowhere" }));
        Assert.Equal("rule", await Refused("/api/v1/drill-checks", new { target = "portal", name = "A", sql = "select 1", rule = "maybe" }));
        Assert.Equal("target", await Refused("/api/v1/drill-checks", new { name = "A", sql = "select 1" }));
        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync($"/api/v1/drills/{Guid.CreateVersion7():N}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await api.GetAsync("/api/v1/drills/x")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await api.GetAsync("/api/v1/drills?target=nowhere")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await api.GetAsync($"/api/v1/drills?after={Guid.CreateVersion7():N}")).StatusCode);
    }

    [Fact]
    public async Task Questions_are_added_listed_and_taken_away()
    {
        var made = await Made("/api/v1/drill-checks", new { target = "portal", name = "Audited", sql = "select count(*) from audit", rule = "atLeast", value = "1" }, HttpStatusCode.Created);
        Assert.Equal("name", await Refused("/api/v1/drill-checks", new { target = "portal", name = "Audited", sql = "select 1" }));
        async Task<IReadOnlyList<string?>> Names() => [.. (await api.GetFromJsonAsync<JsonElement>("/api/v1/drill-checks?target=portal")).GetProperty("items").EnumerateArray().Select(c => c.GetProperty("name").GetString())];
        Assert.Contains("Audited", await Names());
        Assert.Equal(HttpStatusCode.NoContent, (await api.DeleteAsync($"/api/v1/drill-checks/{made.GetProperty("id").GetString()}")).StatusCode);
        Assert.DoesNotContain("Audited", await Names());
        Assert.Equal(HttpStatusCode.NotFound, (await api.DeleteAsync($"/api/v1/drill-checks/{made.GetProperty("id").GetString()}")).StatusCode);
    }
}
