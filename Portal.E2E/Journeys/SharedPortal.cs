using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;

namespace Portal.E2E.Journeys;

/// <summary>One portal with demonstration data for all journeys that do it no harm.</summary>
public sealed class SharedPortal : IAsyncLifetime
{
    internal PortalProcess Portal { get; private set; } = null!;

    /// <summary>An incident that is not over, so that every page has something to show.</summary>
    internal string OpenIncident { get; private set; } = "";
    /// <summary>Maintenance that is under way.</summary>
    internal string Maintenance { get; private set; } = "";
    internal string Slug { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Portal = await PortalProcess.Start(demo: true);
        Slug = (await Api.Post(Portal, "/api/v1/components", new { name = "Invoices", description = "Monthly invoices by e-mail." })).GetProperty("slug").GetString()!;
        var incident = await Api.Post(Portal, "/api/v1/incidents", new { title = "Invoices are late", severity = "P2", message = "Some invoices arrive late.", components = new[] { new { slug = Slug, status = "partial_outage" } } });
        OpenIncident = incident.GetProperty("id").GetString()!;
        await Api.Post(Portal, $"/api/v1/incidents/{OpenIncident}/updates", new { message = "The queue is being worked off.", visibility = "public", status = "identified" });
        await Api.Post(Portal, $"/api/v1/incidents/{OpenIncident}/updates", new { message = "Worker 3 had stopped.", visibility = "internal" });
        Maintenance = (await Api.Get(Portal, "/api/v1/maintenances?over=false&limit=1")).GetProperty("items")[0].GetProperty("id").GetString()!;
        await Wait.Until("the incident is public", async () => (await Portal.Http.GetStringAsync("/")).Contains("Invoices are late", StringComparison.Ordinal));
    }

    readonly Lock once = new();
    Task<string>? drill;

    /// <summary>A drill of the portal's own database that is over; made when it is first asked for.</summary>
    internal Task<string> Drill()
    {
        lock (once) return drill ??= Make();
        async Task<string> Make()
        {
            await Over((await Api.Post(Portal, "/api/v1/backups", new { target = "portal" })).GetProperty("id").GetString()!);
            var id = (await Api.Post(Portal, "/api/v1/drills", new { scenario = "database-lost" })).GetProperty("id").GetString()!;
            await Over(id);
            return id;
        }
    }

    Task Over(string job) => Wait.Until("the job is over", async () => (await Api.Get(Portal, $"/api/v1/jobs/{job}")).GetProperty("state").GetString() == "succeeded", 120);

    public async Task DisposeAsync() => await Portal.DisposeAsync();

    internal async Task<string> Declare(string title) =>
        (await Api.Post(Portal, "/api/v1/incidents", new { title, severity = "P2", message = "We are looking.", components = new[] { new { slug = Slug, status = "degraded_performance" } } })).GetProperty("id").GetString()!;

    internal Task Resolve(string incident) => Api.Post(Portal, $"/api/v1/incidents/{incident}/updates", new { message = "It is over.", visibility = "public", status = "resolved" });

    internal async Task<Window> Staff(bool phone = false, bool bypassPolicy = false)
    {
        var window = await Browser.Open(Portal, phone: phone, bypassPolicy: bypassPolicy);
        await LoginPage.SignIn(window.Page);
        return window;
    }
}

[CollectionDefinition(Name)]
public sealed class OnePortal : ICollectionFixture<SharedPortal>
{
    public const string Name = "One portal";
}
