using Microsoft.Playwright;

namespace Portal.E2E.Pages;

/// <summary><c>/ops/incidents/new</c>.</summary>
sealed class DeclarePage(IPage page)
{
    public ILocator Title => page.GetByLabel("Title", new() { Exact = true });
    public ILocator Message => page.GetByLabel("Message to customers");
    public ILocator Publish => page.GetByRole(AriaRole.Button, new() { Name = "Declare and publish" });

    public static async Task<DeclarePage> Open(IPage page)
    {
        await page.GotoAsync("/ops/incidents/new");
        var declare = new DeclarePage(page);
        await Assertions.Expect(declare.Title).ToBeFocusedAsync();
        return declare;
    }

    public async Task<RoomPage> Declare(string title, string message, string? component = null, string severity = "P1")
    {
        await Title.FillAsync(title);
        await page.GetByRole(AriaRole.Radio, new() { Name = severity }).CheckAsync();
        await Message.FillAsync(message);
        if (component is not null) await page.GetByRole(AriaRole.Checkbox, new() { Name = component, Exact = true }).CheckAsync();
        await Publish.ClickAsync();
        return await RoomPage.Arrived(page, title);
    }
}

/// <summary>One incident's room, <c>/ops/incidents/{id}</c>.</summary>
sealed class RoomPage(IPage page)
{
    public IPage Page => page;
    public string Id => new Uri(page.Url).Segments[^1];
    public ILocator Timeline => page.GetByRole(AriaRole.Region, new() { Name = "Timeline" });
    public ILocator Message => page.GetByLabel("Message to customers");
    public ILocator Note => page.GetByRole(AriaRole.Textbox, new() { Name = "Note for the team" });

    public static async Task<RoomPage> Arrived(IPage page, string title)
    {
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = title, Level = 1 })).ToBeVisibleAsync();
        await Assertions.Expect(page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/ops/incidents/[0-9a-f]{32}$"));
        return new RoomPage(page);
    }

    public static async Task<RoomPage> Open(IPage page, string id)
    {
        await page.GotoAsync($"/ops/incidents/{id}");
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "Timeline" })).ToBeVisibleAsync();
        return new RoomPage(page);
    }

    public async Task Post(string message)
    {
        await Speak("Public update");
        await Message.FillAsync(message);
        await page.GetByRole(AriaRole.Button, new() { Name = "Post update" }).ClickAsync();
        await Assertions.Expect(Timeline.GetByText(message)).ToBeVisibleAsync();
    }

    public async Task PostNote(string message)
    {
        await Speak("Team note");
        await Note.FillAsync(message);
        await page.GetByRole(AriaRole.Button, new() { Name = "Note for the team" }).ClickAsync();
        await Assertions.Expect(Timeline.GetByText(message)).ToBeVisibleAsync();
    }

    public async Task Resolve(string message)
    {
        await Speak("Public update");
        await page.GetByLabel("Status", new() { Exact = true }).SelectOptionAsync("Resolved");
        await Message.FillAsync(message);
        await page.GetByRole(AriaRole.Button, new() { Name = "Resolve and tell customers" }).ClickAsync();
        await Assertions.Expect(Timeline.GetByText(message)).ToBeVisibleAsync();
    }

    Task Speak(string to) => page.GetByRole(AriaRole.Radio, new() { Name = to }).CheckAsync(new() { Force = true });
}
