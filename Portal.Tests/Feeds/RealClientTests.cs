using System.Diagnostics;
using System.Text.Json;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Tests.Support;

namespace Portal.Tests.Feeds;

/// <summary>The read API as programs of others meet it: over the network, with headers, and through the npm client <c>statuspage.io</c>.</summary>
public class RealClientTests(PortalHost host) : IClassFixture<PortalHost>
{
    const string Script = """
        const { Statuspage } = require('statuspage.io');
        const page = new Statuspage('anything');
        page.setApiUrl(process.argv[1]);
        (async () => console.log(JSON.stringify({
          summary: await page.api.getSummary(), status: await page.api.getStatus(), components: await page.api.getComponents(),
          all: await page.api.incidents.getAll(), unresolved: await page.api.incidents.getUnresolved(),
          upcoming: await page.api.scheduledMaintenances.getUpcoming(), active: await page.api.scheduledMaintenances.getActive(), maintenances: await page.api.scheduledMaintenances.getAll(),
        })))().catch(e => { console.error(e); process.exit(1); });
        """;

    static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "Portal.sln"))) folder = folder.Parent;
            return folder.FullName;
        }
    }

    async Task<string> Declare(string title)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = host.Database.Open();
        var component = new Component($"{title} component", null, null, null, 0, now);
        var incident = new Incident(title, Severity.P1, null, null, now);
        incident.Post(IncidentStatus.Identified, "We know why.", UpdateVisibility.Public, [new(component.Id, ComponentStatus.PartialOutage)], Cast.Bob, now);
        incident.Post(IncidentStatus.Identified, "Only among us: the intern did it.", UpdateVisibility.Internal, [], Cast.Bob, now);
        var coming = new MaintenanceWindow(new($"{title} upgrade", "Saving may fail.", now.AddDays(2), now.AddDays(2).AddHours(1), "Europe/Berlin", TimeSpan.Zero, [component.Id]), Cast.Bob, now);
        var maintained = new Component($"{title} archive", null, null, null, 1, now);
        var active = new MaintenanceWindow(new($"{title} move", "Documents cannot be opened.", now, now.AddHours(1), "Europe/Berlin", TimeSpan.Zero, [maintained.Id]), Cast.Bob, now);
        active.Post("Only among us: the disks are old.", UpdateVisibility.Internal, Cast.Bob, now);
        db.AddRange(component, incident, maintained, coming, active);
        await db.SaveChangesAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        // Badges are rendered last: with them the rest stands.
        while (host.Get<Publisher>().Find($"/badge/{component.Slug}.svg") is null)
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        return incident.Id.ToString();
    }

    [Fact]
    public async Task The_npm_client_reads_every_document()
    {
        var id = await Declare("Client");
        var start = new ProcessStartInfo("node", ["-e", Script, host.Address.ToString().TrimEnd('/')]) { WorkingDirectory = Root, RedirectStandardOutput = true, RedirectStandardError = true };
        using var node = Process.Start(start)!;
        var (output, error) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.True(node.ExitCode == 0, await error);
        var read = JsonDocument.Parse(await output).RootElement;
        Assert.Contains(read.GetProperty("unresolved").GetProperty("incidents").EnumerateArray(), i => i.GetProperty("id").GetString() == id);
        Assert.Contains(read.GetProperty("all").GetProperty("incidents").EnumerateArray(), i => i.GetProperty("id").GetString() == id);
        Assert.Equal("major", read.GetProperty("status").GetProperty("status").GetProperty("indicator").GetString());
        Assert.Contains(read.GetProperty("components").GetProperty("components").EnumerateArray(), c => c.GetProperty("status").GetString() == "partial_outage");
        StrictReader.Check("/api/v2/summary.json", read.GetProperty("summary"));
        // This client asks for coming ones whatever is asked of it.
        foreach (var list in new[] { "upcoming", "active", "maintenances" })
            Assert.Contains(read.GetProperty(list).GetProperty("scheduled_maintenances").EnumerateArray(), m => m.GetProperty("name").GetString() == "Client upgrade");
        Assert.Contains(read.GetProperty("summary").GetProperty("scheduled_maintenances").EnumerateArray(), m => m.GetProperty("name").GetString() == "Client move" && m.GetProperty("status").GetString() == "in_progress");
        Assert.Contains(read.GetProperty("components").GetProperty("components").EnumerateArray(), c => c.GetProperty("name").GetString() == "Client archive" && c.GetProperty("status").GetString() == "under_maintenance");
        foreach (var list in new[] { "upcoming", "active", "maintenances" }) StrictReader.Check("/api/v2/scheduled-maintenances.json", read.GetProperty(list));
    }

    [Fact]
    public async Task What_is_internal_is_in_no_document_that_anybody_can_fetch()
    {
        await Declare("Secretive");
        using var client = host.Client();
        foreach (var path in Portal.Public.ReadApi.ReadApiPublication.Paths.Concat(["/", "/de/", "/history", "/history.rss", "/history.atom", "/de/history.rss", "/de/history.atom", "/maintenance.ics"]))
        {
            var text = await client.GetStringAsync(path);
            Assert.DoesNotContain("intern did it", text, StringComparison.Ordinal);
            Assert.DoesNotContain("disks are old", text, StringComparison.Ordinal);
            if (path.Contains("incidents", StringComparison.Ordinal) || path.Contains("history.", StringComparison.Ordinal)) Assert.Contains("We know why", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Any_origin_may_read_and_unknown_documents_are_really_not_found()
    {
        using var client = host.Client();
        using var found = await client.GetAsync("/api/v2/summary.json?x=1");
        Assert.Equal(200, (int)found.StatusCode);
        Assert.Equal("*", found.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.NotNull(found.Headers.ETag);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/api/v2/summary.json") { Headers = { IfNoneMatch = { found.Headers.ETag! } } };
        Assert.Equal(304, (int)(await client.SendAsync(again)).StatusCode);
        foreach (var path in new[] { "/api/v2/nothing.json", "/api/v2/incidents/0198000000007000800000000000000a.json", "/api/v2", "/api/v2/" })
        {
            using var missing = await client.GetAsync(path);
            Assert.Equal((path, 404), (path, (int)missing.StatusCode));
            Assert.Contains("json", missing.Content.Headers.ContentType!.MediaType, StringComparison.Ordinal);
            Assert.Equal("*", missing.Headers.GetValues("Access-Control-Allow-Origin").Single());
        }
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "/api/v2/summary.json") { Headers = { { "Origin", "https://elsewhere.example" }, { "Access-Control-Request-Method", "GET" }, { "Access-Control-Request-Headers", "x-requested-with" } } };
        using var allowed = await client.SendAsync(preflight);
        Assert.Equal(204, (int)allowed.StatusCode);
        Assert.Equal("x-requested-with", allowed.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Equal(405, (int)(await client.PostAsync("/api/v2/summary.json", null)).StatusCode);
    }

    [Fact]
    public async Task Feeds_and_badges_are_served_as_what_they_are()
    {
        await Declare("Badge");
        using var client = host.Client();
        foreach (var (path, type) in new[] { ("/history.rss", "application/rss+xml"), ("/history.atom", "application/atom+xml"), ("/maintenance.ics", "text/calendar"), ("/badge/overall.svg", "image/svg+xml"), ("/badge/badge-component.svg", "image/svg+xml") })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal((path, 200, type), (path, (int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            Assert.NotNull(answer.Headers.ETag);
        }
        Assert.Equal(404, (int)(await client.GetAsync("/badge/unheard-of.svg")).StatusCode);
    }
}
