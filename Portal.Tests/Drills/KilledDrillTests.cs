using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Drills;

/// <summary>A real portal, killed in the midst of a drill: once while pg_restore works, once while the data is asked.</summary>
[Collection(Nodes.Name)]
[Trait("Category", "Slow")]
public sealed class KilledDrillTests : IAsyncLifetime
{
    const string Key = "drills-0123456789abcdef0123456789abcdef";
    readonly ScratchFolder folder = new();
    string connection = "", shop = "";

    public async Task InitializeAsync()
    {
        connection = await PostgresServer.Empty();
        shop = await PostgresServer.Empty();
        // An index whose building takes four seconds where it is restored: only then can a drill be met in the midst of that.
        await OddDatabase.Execute(shop, """
            create table pace (seconds float8 not null);
            insert into pace values (0);
            create function slow(n int) returns int language plpgsql immutable as $$ begin perform pg_sleep((select seconds from public.pace)); return n; end $$;
            create table orders (id int primary key);
            insert into orders select generate_series(1, 8);
            create index slowly on orders (slow(id));
            update pace set seconds = 0.5;
            """);
    }

    public async Task DisposeAsync()
    {
        await PostgresServer.Drop(shop);
        await PostgresServer.Drop(connection);
        folder.Dispose();
    }

    PortalProcess Start() => PortalProcess.Serve(folder.Path, new()
    {
        ["Database:ConnectionString"] = connection,
        ["Bootstrap:AdminEmail"] = "alice@example.com",
        ["Bootstrap:AdminPassword"] = "correct horse battery",
        ["Bootstrap:ApiKey"] = Key,
        ["Timing:JobLeaseSeconds"] = "2",
        ["Timing:JobSweepSeconds"] = "0.5",
        ["Timing:JobCheckInSeconds"] = "1",
        ["Timing:JobCheckInThresholdSeconds"] = "2",
        ["Logging:Format"] = "plain",
    });

    static HttpClient Api(Uri address) => new() { BaseAddress = address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Key) } };

    static async Task<JsonElement> Made(HttpClient api, string path, object body)
    {
        var answer = await api.PostAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    /// <summary>A portal that just began serves its page before it has reached its database; a whole drill on a busy machine takes longer than other waits.</summary>
    static async Task<JsonElement> Over(HttpClient api, string? job) => await Soon.Reads(async () =>
    {
        using var answer = await api.GetAsync($"/api/v1/jobs/{job}");
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : default;
    }, j => j.ValueKind == JsonValueKind.Object && j.GetProperty("finishedAt").ValueKind == JsonValueKind.String, "the job is over", TimeSpan.FromMinutes(2));

    [Fact]
    public async Task It_is_begun_anew_by_the_next_portal_and_no_server_and_no_file_of_the_first_one_is_left()
    {
        string? restoring, asking;
        await using (var portal = Start())
        {
            using var api = Api(await portal.Ready());
            await Made(api, "/api/v1/backup-targets", new { name = "shop", connection = shop });
            Assert.Equal("succeeded", (await Over(api, (await Made(api, "/api/v1/backups", new { target = "shop" })).GetProperty("id").GetString())).GetProperty("state").GetString());
            restoring = (await Made(api, "/api/v1/drills", new { scenario = "database-lost", target = "shop" })).GetProperty("id").GetString();
            await Doing(restoring!, "CREATE INDEX");
            portal.Signal("KILL");
            await portal.Exit();
        }
        Assert.NotEmpty(Postmaster.ProcessesOf(Cluster(restoring!)));

        await using (var portal = Start())
        {
            using var api = Api(await portal.Ready());
            await Passed(api, restoring!);

            var check = await Made(api, "/api/v1/drill-checks", new { target = "shop", name = "Takes its time", sql = "select pg_sleep(200) is not null" });
            asking = (await Made(api, "/api/v1/drills", new { scenario = "database-lost", target = "shop" })).GetProperty("id").GetString();
            await Doing(asking!, "SELECT");
            portal.Signal("KILL");
            await portal.Exit();
            await OddDatabase.Execute(connection, $"delete from drill_checks where id = '{check.GetProperty("id").GetString()}'");
        }

        await using (var portal = Start())
        {
            using var api = Api(await portal.Ready());
            await Passed(api, asking!);
            Assert.Equal(2, (await api.GetFromJsonAsync<JsonElement>("/api/v1/drills")).GetProperty("items").GetArrayLength());
            Assert.Equal(0, await portal.Stop());
        }
        Assert.Empty(Postmaster.ProcessesOf(Cluster(restoring!)));
        Assert.Empty(Postmaster.ProcessesOf(Cluster(asking!)));
        Assert.Empty(Directory.GetFileSystemEntries(folder["drills"]));
    }

    static async Task Passed(HttpClient api, string drill)
    {
        var run = await Over(api, drill);
        Assert.True(run.GetProperty("state").GetString() == "succeeded" && run.GetProperty("attempt").GetInt32() == 2, run.ToString());
        var report = await api.GetFromJsonAsync<JsonElement>($"/api/v1/drills/{drill}");
        Assert.True(report.GetProperty("whole").GetBoolean() && report.GetProperty("drill").GetProperty("state").GetString() == "passed", report.ToString());
    }

    string Cluster(string drill) => folder["drills", $"{drill}-1", "cluster"];

    /// <summary>Until a process of the scratch server says by its title that it does that.</summary>
    Task Doing(string drill, string what) => Soon.Comes(() => Postmaster.ProcessesOf(Cluster(drill)).Any(id => Title(id).Contains(what, StringComparison.Ordinal)), $"{what} on the scratch server");

    static string Title(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
