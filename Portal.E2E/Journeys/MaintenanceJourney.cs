using System.Text.Json;
using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>From the announcement in the browser to its end, on a page that a customer has open all the while.</summary>
[Collection(OnePortal.Name)]
public sealed class MaintenanceJourney(SharedPortal shared)
{
    [Fact]
    public async Task Announced_in_the_browser_it_begins_and_ends_by_itself_on_an_open_page()
    {
        const string title = "Invoice archive moves";
        await using var customer = await Browser.Open(shared.Portal);
        var open = await PublicPage.Open(customer.Page, "/en/");
        await open.Mark();
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await page.GotoAsync("/ops/maintenance/new");
        await Expect(page.GetByLabel("Title")).ToBeFocusedAsync();
        await Expect(page.GetByLabel("Begins (Europe/Berlin)")).Not.ToHaveValueAsync("");
        await page.GetByLabel("Title").FillAsync(title);
        await page.GetByLabel("Message to customers").FillAsync("Invoices cannot be opened for some minutes.");
        await page.GetByLabel("Invoices", new() { Exact = true }).First.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Schedule and publish" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = title, Level = 1 })).ToBeVisibleAsync();
        var id = page.Url[^32..];

        var section = open.Page.Locator("[data-fragment=maintenance]");
        await Expect(section.GetByRole(AriaRole.Heading, new() { Name = "Scheduled maintenance" })).ToBeVisibleAsync();
        await Expect(section.Locator("article").Filter(new() { HasText = title })).ToContainTextAsync("Invoices");
        await Look.At(open.Page, "maintenance-coming");
        Assert.Contains($"UID:{id}@maintenance", await shared.Portal.Http.GetStringAsync("/maintenance.ics"), StringComparison.Ordinal);
        Assert.Contains(id, await shared.Portal.Http.GetStringAsync("/api/v2/scheduled-maintenances/upcoming.json"), StringComparison.Ordinal);

        // A window so short that a test can see it through; from here on nobody does anything.
        var now = DateTimeOffset.UtcNow;
        await Api.Patch(shared.Portal, $"/api/v1/maintenances/{id}", new { startsAt = now.AddSeconds(6), endsAt = now.AddSeconds(14) });
        var active = section.Locator("article.incident").Filter(new() { HasText = title });
        await Expect(active).ToContainTextAsync("In progress", new() { Timeout = 20_000 });
        await Expect(page.Locator(".facts")).ToContainTextAsync("In progress");
        await Look.At(open.Page, "maintenance-active");
        await Expect(section.Locator("article").Filter(new() { HasText = title })).ToHaveCountAsync(0, new() { Timeout = 30_000 });
        await Expect(page.Locator(".facts")).ToContainTextAsync("Completed");
        Assert.True(await open.WasNeverReloaded());
        await Wait.Until("the read API says that it is over", async () => JsonDocument.Parse(await shared.Portal.Http.GetStringAsync("/api/v2/scheduled-maintenances.json")).RootElement
            .GetProperty("scheduled_maintenances").EnumerateArray().Any(m => m.GetProperty("id").GetString() == id && m.GetProperty("status").GetString() == "completed"));
        await open.Page.GotoAsync($"/maintenance/{id}");
        await Expect(open.Page.GetByText("The maintenance is over.")).ToBeVisibleAsync();
    }
}
