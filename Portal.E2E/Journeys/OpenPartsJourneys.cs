using Microsoft.Playwright;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>What stands on a page only after something was pressed: dialogs, forms, refusals and menus violate axe no more than pages do.</summary>
[Collection(OnePortal.Name)]
public class OpenPartsJourneys(SharedPortal shared)
{
    readonly List<string> problems = [];

    [Fact]
    public async Task No_dialog_form_refusal_or_menu_violates_axe_in_light_or_dark()
    {
        await using var window = await shared.Staff(bypassPolicy: true);
        var page = window.Page;
        await Shell(page);
        await People(page);
        await Keys(page);
        await Components(page);
        await Monitors(page);
        await Incidents(page);
        Assert.True(problems.Count == 0, string.Join('\n', problems.Take(40)));
    }

    async Task Shell(IPage page)
    {
        await Heading(page, "/ops", "Overview");
        await page.Locator(".topbar details.menu summary").ClickAsync();
        await Expect(Button(page, "Sign out")).ToBeVisibleAsync();
        await Clean(page, "the account menu");
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("Control+k");
        await Expect(page.Locator("#palette-input")).ToBeFocusedAsync();
        await Clean(page, "the palette");
        await page.Keyboard.TypeAsync("inv");
        await Expect(page.Locator("#palette [data-found]").First).ToBeVisibleAsync();
        await Clean(page, "the palette with what it found");
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Go to, find or do" }).FillAsync("zzzz");
        await Expect(page.GetByText("No incident, component or monitor has this in its name.")).ToBeVisibleAsync();
        await Clean(page, "the palette without a match");
        await page.Keyboard.PressAsync("Escape");
    }

    async Task People(IPage page)
    {
        var person = "Kim Looked-At";
        await Heading(page, "/admin/people", "People");
        await Button(page, "Add somebody").ClickAsync();
        await Button(page, "Add and make a one-time link").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused person");
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync(person);
        await page.GetByLabel("E-mail address", new() { Exact = true }).FillAsync("kim.looked-at@example.com");
        await Button(page, "Add and make a one-time link").ClickAsync();
        await Expect(page.Locator("[data-secret]")).ToBeVisibleAsync();
        await Clean(page, "a link shown once");
        await Button(page, $"Deactivate {person}").ClickAsync();
        await Dialog(page, "the question before deactivating");
    }

    async Task Keys(IPage page)
    {
        await Heading(page, "/admin/api-keys", "API keys");
        await Button(page, "Create a key").ClickAsync();
        await Button(page, "Create the key").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused key");
        await Button(page, "Revoke Bootstrap").ClickAsync();
        await Dialog(page, "the question before revoking");
    }

    async Task Components(IPage page)
    {
        await Heading(page, "/admin/components", "Components");
        await Button(page, "Component").ClickAsync();
        await Button(page, "Add the component").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused component");
        await Button(page, "Group").ClickAsync();
        await Button(page, "Add the group").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused group");
        await Button(page, "Edit Invoices").First.ClickAsync();
        await Expect(page.Locator(".tree-row form")).ToBeVisibleAsync();
        await Clean(page, "a component being edited");
        await page.ReloadAsync();
        await Button(page, "Delete Invoices").First.ClickAsync();
        await Dialog(page, "the question before deleting a component");
        await page.Locator("[aria-label^='Delete group ']").First.ClickAsync();
        await Dialog(page, "the question before deleting a group");
    }

    async Task Monitors(IPage page)
    {
        await Heading(page, "/ops/monitors/new", "New monitor");
        await Button(page, "Create monitor").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused monitor");
        var target = new { name = "Looked at", target = "https://shop.example.com/", kind = "http" };
        var monitor = (await Api.Post(shared.Portal, "/api/v1/monitors", target)).GetProperty("id").GetString();
        await Heading(page, $"/ops/monitors/{monitor}", target.name);
        await Button(page, "Delete…").ClickAsync();
        await Dialog(page, "the question before deleting a monitor");
    }

    async Task Incidents(IPage page)
    {
        await Heading(page, "/ops/incidents/new", "Declare an incident");
        await Button(page, "Declare and publish").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused declaration");
        await Heading(page, $"/ops/incidents/{shared.OpenIncident}", "Invoices are late");
        await page.Locator(".composer details summary").ClickAsync();
        await page.Locator(".composer .picker input").First.CheckAsync();
        await Button(page, "Post update").ClickAsync();
        await Refused(page);
        await Clean(page, "a refused update with its components");
        await page.GetByRole(AriaRole.Radio, new() { Name = "Team note" }).CheckAsync(new() { Force = true });
        await Expect(page.GetByRole(AriaRole.Textbox, new() { Name = "Note for the team" })).ToBeVisibleAsync();
        await Clean(page, "the composer for notes");
        await Button(page, "Title, severity, impact").ClickAsync();
        await page.GetByRole(AriaRole.Region, new() { Name = "Timeline" }).GetByRole(AriaRole.Button, new() { Name = "Edit" }).First.ClickAsync();
        await Expect(page.GetByLabel("Text of this entry")).ToBeVisibleAsync();
        await Clean(page, "head and entry being edited");
    }

    static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    static async Task Heading(IPage page, string path, string heading)
    {
        await page.GotoAsync(path);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = heading, Exact = true })).ToBeVisibleAsync();
        await Expect(page.Locator(".skeleton")).ToHaveCountAsync(0);
    }

    static Task Refused(IPage page) => Expect(page.Locator("main [role=alert]").First).ToBeVisibleAsync();

    async Task Dialog(IPage page, string what)
    {
        await Expect(page.Locator("dialog[data-modal][open]")).ToBeVisibleAsync();
        await Clean(page, what);
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator("dialog[data-modal]")).ToHaveCountAsync(0);
    }

    async Task Clean(IPage page, string what)
    {
        problems.AddRange((await Axe.Violations(page, $"open-{what.Replace(' ', '-')}")).Select(p => $"{what}: {p}"));
    }
}
