using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>The portal itself is killed while a customer and a member of staff have it open, and a monitor's target is down.</summary>
[Collection("Portals of their own")]
public class RestartJourney
{
    [Fact]
    public async Task After_a_kill_and_a_restart_open_windows_go_on_and_no_outage_is_lost_or_doubled()
    {
        await using var portal = await PortalProcess.Start();
        await using var target = new TargetServer();
        var component = await Api.Post(portal, "/api/v1/components", new { name = "Shop" });
        var monitor = await Api.Post(portal, "/api/v1/monitors", new { name = "Shop front", kind = "http", target = target.Url, intervalSeconds = 10, timeoutSeconds = 2, component = component.GetProperty("slug").GetString(), failuresBeforeDown = 1, allowPrivate = true });
        await using var customer = await Browser.Open(portal);
        var open = await PublicPage.Open(customer.Page);
        await Expect(open.Component("Shop")).ToContainTextAsync("Operational", new() { Timeout = 20_000 });
        await open.Mark();
        await using var staff = await Browser.Open(portal);
        await LoginPage.SignIn(staff.Page);
        var draft = await DeclarePage.Open(staff.Page);
        await draft.Message.FillAsync("Written before the restart.");

        await target.Stop();
        await Expect(open.Component("Shop")).ToContainTextAsync("Major outage", new() { Timeout = 40_000 });
        var postmaster = portal.PostmasterPid;
        await portal.Kill();
        await Expect(staff.Page.Locator("#components-reconnect-modal")).ToBeVisibleAsync();
        await Look.At(staff.Page, "staff-connection-lost");
        await portal.Start();
        Assert.Equal(postmaster, portal.PostmasterPid);

        target.Start();
        await Expect(open.Component("Shop")).ToContainTextAsync("Operational", new() { Timeout = 60_000 });
        Assert.True(await open.WasNeverReloaded());
        await Expect(staff.Page.Locator("#components-reconnect-modal")).ToBeHiddenAsync(new() { Timeout = 30_000 });
        await Expect(draft.Message).ToHaveValueAsync("Written before the restart.", new() { Timeout = 20_000 });

        await staff.Page.GotoAsync($"/ops/monitors/{monitor.GetProperty("id").GetString()}");
        var outages = staff.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = "as evidence" });
        await Expect(outages).ToHaveCountAsync(1);
        await Expect(outages).Not.ToContainTextAsync("lasts");
    }
}
