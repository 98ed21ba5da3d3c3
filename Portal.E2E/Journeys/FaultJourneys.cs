using System.Net;
using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>The minutes when the portal's own parts are broken. Each journey has a portal of its own and breaks it.</summary>
[Collection("Portals of their own")]
public class FaultJourneys
{
    static readonly string[] Read = ["/", "/de", "/history", "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json", "/history.rss", "/history.atom", "/badge/overall.svg", "/health/live", "/health/ready"];

    [Fact]
    public async Task With_PostgreSQL_killed_everything_public_is_served_and_all_recovers_by_itself()
    {
        await using var portal = await PortalProcess.Start(demo: true);
        await using var staff = await Browser.Open(portal);
        await LoginPage.SignIn(staff.Page);
        var before = portal.PostmasterPid;
        Signals.Send("KILL", portal.PostgresFamily);
        await AllAreServed(portal);
        await Wait.Until("a new PostgreSQL runs", () => !Signals.IsAlive(before) && File.Exists(Path.Combine(portal.Data, "postgres", "postmaster.pid")) && portal.PostmasterPid != before, 30);
        await Wait.Until("the staff screens work again", async () => (await portal.Http.GetAsync("/health/ready?scope=staff")).IsSuccessStatusCode, 30);
        await AllAreServed(portal);
        await (await DeclarePage.Open(staff.Page)).Declare("After the crash", "All works again.");
        await Wait.Until("the incident is public", async () => (await portal.Http.GetStringAsync("/api/v2/incidents/unresolved.json")).Contains("After the crash", StringComparison.Ordinal));
    }

    [Fact]
    public async Task With_PostgreSQL_hung_the_page_tells_its_age_and_staff_are_told_what_is_wrong()
    {
        await using var portal = await PortalProcess.Start(demo: true);
        await using var staff = await Browser.Open(portal);
        await LoginPage.SignIn(staff.Page);
        var family = portal.PostgresFamily;
        var hung = System.Diagnostics.Stopwatch.StartNew();
        Signals.Send("STOP", family);
        try
        {
            await AllAreServed(portal);
            await staff.Page.GetByRole(AriaRole.Link, new() { Name = "Incidents", Exact = true }).First.ClickAsync();
            // The shell says it within seconds, long before the driver gives the screen's own question up.
            await Expect(staff.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "The database does not answer" })).ToBeVisibleAsync(new() { Timeout = 12_000 });
            await Expect(staff.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "database cannot be reached" })).ToBeVisibleAsync(new() { Timeout = 25_000 });
            await Look.At(staff.Page, "staff-database-hung");
            await Wait.Until("staff are sent elsewhere by a balancer", async () => (await portal.Http.GetAsync("/health/ready?scope=staff")).StatusCode == HttpStatusCode.ServiceUnavailable, 30);
            await Wait.Until("the page tells its age", async () => (await portal.Http.GetStringAsync("/")).Contains("This page is more than 1 minute old", StringComparison.Ordinal), 120);
            await AllAreServed(portal);
        }
        finally
        {
            Signals.Send("CONT", family);
        }
        await Wait.Until("the page is current again", async () => !(await portal.Http.GetStringAsync("/")).Contains("minute old", StringComparison.Ordinal), 40);
        await (await DeclarePage.Open(staff.Page)).Declare("After the hang", "All works again.");
        await Wait.Until("the incident is public", async () => (await portal.Http.GetStringAsync("/")).Contains("After the hang", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_with_Ctrl_C_leaves_nothing_running_and_a_second_start_goes_on_with_the_same_data()
    {
        await using var portal = await PortalProcess.Start();
        await Api.Post(portal, "/api/v1/components", new { name = "Kept" });
        var postmaster = portal.PostmasterPid;
        await portal.Stop();
        Assert.False(Signals.IsAlive(postmaster));
        await portal.Start();
        await Wait.Until("the component is public again", async () => (await portal.Http.GetStringAsync("/api/v2/components.json")).Contains("Kept", StringComparison.Ordinal));
        Assert.Null(portal.SetupLink);
    }

    static async Task AllAreServed(PortalProcess portal)
    {
        foreach (var path in Read)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept-Language", "en" } } };
            using var answer = await portal.Http.SendAsync(request);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path} answered {(int)answer.StatusCode}");
        }
    }
}
