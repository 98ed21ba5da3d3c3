using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>The first hour with a portal: what must work on a fresh machine before anything else matters.</summary>
[Collection("Portals of their own")]
public class FirstHourJourney
{
    [Fact]
    public async Task From_the_set_up_link_to_an_incident_that_customers_saw_come_and_go_without_a_reload()
    {
        await using var portal = await PortalProcess.Start(unattended: false);
        Assert.NotNull(portal.SetupLink);
        await using var staff = await Browser.Open(portal);
        await SetupPage.CreateAdministrator(staff.Page, portal.SetupLink);
        await LinkWorksOnce(portal);
        await staff.Page.GetByRole(AriaRole.Link, new() { Name = "Add the components" }).ClickAsync();
        await Expect(staff.Page).ToHaveURLAsync(new Uri(new Uri(portal.Url), "/admin/components").AbsoluteUri);

        await AddComponent(staff.Page, "Shop");
        await using var target = new TargetServer();
        await AddMonitor(staff.Page, "Shop front", target.Url, "Shop");
        await Wait.Until("the monitor has asked its target", () => target.Requests > 0);

        await using var customer = await Browser.Open(portal);
        var open = await PublicPage.Open(customer.Page);
        await Expect(open.Component("Shop")).ToContainTextAsync("Operational", new() { Timeout = 20_000 });
        await open.Mark();

        await target.Stop();
        await Expect(open.Component("Shop")).ToContainTextAsync("Major outage", new() { Timeout = 60_000 });
        await Look.At(customer.Page, "outage-seen");

        var room = await (await DeclarePage.Open(staff.Page)).Declare("The shop does not open", "We know about it and are looking.", "Shop", "P0");
        await Expect(open.Incident("The shop does not open")).ToContainTextAsync("We know about it and are looking.");
        await Look.At(customer.Page, "incident-seen");

        target.Start();
        await room.Resolve("The shop is open again.");
        await Expect(open.Component("Shop")).ToContainTextAsync("Operational", new() { Timeout = 60_000 });
        await Expect(open.Headline).ToContainTextAsync("operational", new() { IgnoreCase = true });
        Assert.True(await open.WasNeverReloaded());
        Assert.Empty(customer.Complaints);
        await Look.At(customer.Page, "resolved-seen");
    }

    static async Task LinkWorksOnce(PortalProcess portal)
    {
        using var again = await portal.Http.GetAsync(new Uri(portal.SetupLink!).PathAndQuery);
        Assert.Equal(System.Net.HttpStatusCode.Gone, again.StatusCode);
    }

    static async Task AddComponent(IPage page, string name)
    {
        await page.GotoAsync("/admin/components");
        await page.GetByRole(AriaRole.Button, new() { Name = "Component", Exact = true }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add the component" }).ClickAsync();
        await Expect(page.GetByText(name, new() { Exact = true }).First).ToBeVisibleAsync();
    }

    static async Task AddMonitor(IPage page, string name, string target, string component)
    {
        await page.GotoAsync("/ops/monitors/new");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(name);
        await page.GetByRole(AriaRole.Textbox, new() { Name = "Address" }).FillAsync(target);
        await page.GetByLabel("Allow this address if it is a private one").CheckAsync();
        await page.GetByLabel("Interval").FillAsync("10");
        await page.GetByLabel("Time-out").FillAsync("2");
        await page.GetByLabel("Component", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = component });
        await page.GetByRole(AriaRole.Button, new() { Name = "Create monitor" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = name })).ToBeVisibleAsync();
    }
}
