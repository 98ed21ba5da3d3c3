using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>An administrator's day with backups, all of it in the browser: a plan, an accident, a restore, a drill, and a second person who signs it off.</summary>
[Collection(OnePortal.Name)]
public sealed class RecoveryJourney(SharedPortal shared)
{
    const string Copy = "shop_restored";

    [Fact]
    public async Task What_was_deleted_by_accident_comes_back_and_a_drill_shows_what_a_loss_would_cost()
    {
        await shared.Portal.Sql("create database shop");
        await shared.Portal.Ask("create table orders (id int primary key, note text not null); insert into orders select n, md5(n::text) from generate_series(1, 2000) n", "shop");
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await AddTarget(page);
        await MakePlan(page);

        await page.GetByRole(AriaRole.Button, new() { Name = "Back up now: Shop, every minute" }).ClickAsync();
        await Expect(page.GetByText("Queued.").First).ToBeVisibleAsync();
        var plan = page.Locator("section.card").Filter(new() { HasText = "Shop, every minute" });
        await Expect(plan.GetByText("Readable to its end")).ToBeVisibleAsync();
        await Look.At(page, "backup-plans");

        await shared.Portal.Ask("delete from orders where id = 1234", "shop");
        await Restore(page);
        Assert.Equal("1", await shared.Portal.Ask("select count(*) from orders where id = 1234", Copy));
        Assert.Equal("0", await shared.Portal.Ask("select count(*) from orders where id = 1234", "shop"));

        var drill = await Drill(page);
        await SignedOffBySomebodyElse(page, drill);

        // Nobody did anything for it meanwhile: the schedule did.
        await Wait.Until("a slot of the plan has run", async () => (await shared.Portal.Ask("select count(*) from job_runs where kind = 'backup' and subject = 'shop' and slot is not null and state = 'Succeeded'")) != "0", 90);
    }

    async Task AddTarget(IPage page)
    {
        var connection = await shared.Portal.ConnectionTo("shop");
        await page.GotoAsync("/admin/backups/stores");
        await page.GetByText("Add a target").ClickAsync();
        await page.GetByLabel("Name").Last.FillAsync("shop");
        await page.GetByLabel("Connection").FillAsync(connection);
        await page.GetByRole(AriaRole.Button, new() { Name = "Reach and add the target" }).ClickAsync();
        await Expect(page.GetByText("shop was reached and added.")).ToBeVisibleAsync();
    }

    static async Task MakePlan(IPage page)
    {
        await page.GotoAsync("/admin/backups/plans/new");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Shop, every minute");
        await page.GetByLabel("What is backed up").SelectOptionAsync(new SelectOptionValue { Label = (await page.Locator("#target option").Filter(new() { HasText = "shop (" }).TextContentAsync())!.Trim() });
        await page.GetByLabel("Configured").CheckAsync();
        await page.GetByLabel("Crontab").FillAsync("0 2 * * *");
        await Expect(page.Locator("#promise")).ToContainTextAsync("This plan can lose up to 24 h; the target is 15 min.");
        await page.GetByLabel("Crontab").FillAsync("* * * * *");
        await Expect(page.Locator("#promise")).Not.ToContainTextAsync("can lose up to");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make the plan" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Shop, every minute" })).ToBeVisibleAsync();
    }

    static async Task Restore(IPage page)
    {
        await page.GotoAsync("/admin/backups/history?target=shop");
        await page.Locator("tbody tr td a").Last.ClickAsync();
        await page.GetByLabel("Into which database").FillAsync(Copy);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Restore into {Copy}…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        var confirm = dialog.GetByRole(AriaRole.Button, new() { Name = $"Restore into {Copy}" });
        await Expect(confirm).ToBeDisabledAsync();
        await dialog.GetByLabel($"To confirm, type: {Copy}").FillAsync(Copy);
        await dialog.GetByLabel("And type RESTORE").FillAsync("restore");
        await confirm.ClickAsync();
        await Expect(dialog.GetByText("the word RESTORE").First).ToBeVisibleAsync();
        await dialog.GetByLabel("And type RESTORE").FillAsync("RESTORE");
        await confirm.ClickAsync();
        await Expect(page.GetByText("and all are equal.")).ToBeVisibleAsync();
        await page.GetByText("are equal", new() { Exact = false }).Last.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "table \"public\".\"orders\"" })).ToBeVisibleAsync();
        await Look.At(page, "restored");
    }

    static async Task<string> Drill(IPage page)
    {
        await page.GotoAsync("/admin/drills");
        var card = page.Locator("section.card").Filter(new() { Has = page.GetByRole(AriaRole.Heading, new() { Name = "shop", Exact = true }) });
        await Expect(card).ToContainTextAsync("it was never drilled");
        await card.GetByRole(AriaRole.Link, new() { Name = "Schedule and checks of shop" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Write a canary into this database" }).ClickAsync();
        await Expect(page.GetByText("A canary was written")).ToBeVisibleAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Orders are there");
        await page.GetByLabel("SQL").FillAsync("select count(*) from orders");
        await page.GetByLabel("It passes when the value is").SelectOptionAsync("AtLeast");
        await page.GetByLabel("Value", new() { Exact = true }).FillAsync("many");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add the question" }).ClickAsync();
        await Expect(page.GetByText("The value must be a number")).ToBeVisibleAsync();
        await page.GetByLabel("Value", new() { Exact = true }).FillAsync("1900");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add the question" }).ClickAsync();
        await Expect(page.GetByText("is at least 1900")).ToBeVisibleAsync();
        await Look.At(page, "drill-target");

        await page.GetByRole(AriaRole.Link, new() { Name = "All drills" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Drill shop now" }).ClickAsync();
        await Expect(card).ToContainTextAsync("the data was back and checked after", new() { Timeout = 60_000 });
        await Look.At(page, "drills");
        await card.GetByRole(AriaRole.Link, new() { Name = "See the report" }).ClickAsync();
        await Expect(page.Locator("#sentence")).ToContainTextAsync("would have been lost");
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "Decrypt and unpack" })).ToBeVisibleAsync();
        await page.GetByLabel("What was learned").FillAsync("The server takes longer than the data.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save the lessons" }).ClickAsync();
        await Expect(page.GetByText("last written by")).ToBeVisibleAsync();
        await page.GetByLabel("To be done").FillAsync("Keep a warm server");
        await page.GetByLabel("By whom").FillAsync("Bob");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add the action" }).ClickAsync();
        await Expect(page.GetByText("Bob · to be done")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "I have read it: sign off" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("A second person signs a drill off");
        await Look.At(page, "drill");
        return page.Url[^32..];
    }

    async Task SignedOffBySomebodyElse(IPage page, string drill)
    {
        await page.GotoAsync("/admin/people");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add somebody" }).ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Dora");
        await page.GetByLabel("E-mail address", new() { Exact = true }).FillAsync("dora@example.com");
        await page.GetByLabel("Role", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "Administrator" });
        await page.GetByRole(AriaRole.Button, new() { Name = "Add and make a one-time link" }).ClickAsync();
        var link = await page.GetByLabel("One-time link for Dora").Last.InputValueAsync();
        await using var second = await Browser.Open(shared.Portal, ColorScheme.Dark);
        await second.Page.GotoAsync(new Uri(link).PathAndQuery);
        await second.Page.GetByLabel("Password", new() { Exact = true }).FillAsync(PortalProcess.AdminPassword);
        await second.Page.GetByLabel("Password again").FillAsync(PortalProcess.AdminPassword);
        await second.Page.Locator("main form button[type=submit]").ClickAsync();
        await second.Page.WaitForURLAsync("**/ops");
        await second.Page.GotoAsync($"/admin/drills/{drill}");
        await second.Page.GetByRole(AriaRole.Button, new() { Name = "I have read it: sign off" }).ClickAsync();
        await Expect(second.Page.GetByText("Signed off").First).ToBeVisibleAsync();
        await Look.At(second.Page, "drill-signed-dark");
        var downloading = second.Page.WaitForDownloadAsync();
        await second.Page.GetByRole(AriaRole.Link, new() { Name = "Download the report" }).ClickAsync();
        var report = await File.ReadAllTextAsync(await (await downloading).PathAsync());
        Assert.Contains("Signed off by Dora", report, StringComparison.Ordinal);
        Assert.Contains("Keep a warm server", report, StringComparison.Ordinal);
    }
}
