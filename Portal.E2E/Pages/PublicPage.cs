using Microsoft.Playwright;

namespace Portal.E2E.Pages;

/// <summary>What customers see at <c>/</c>.</summary>
sealed class PublicPage(IPage page)
{
    public IPage Page => page;
    public ILocator Headline => page.GetByRole(AriaRole.Heading, new() { Level = 1 });
    public ILocator Age => page.Locator(".age");
    /// <summary>What the browser itself adds when it cannot know whether the page is current.</summary>
    public ILocator AsOf => page.Locator("#offline");
    public ILocator Incident(string title) => page.Locator("article").Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = title, Exact = true }) });
    /// <summary>Among the past days, where an incident goes once it is resolved.</summary>
    public ILocator Past(string title) => page.Locator(".past-incident").Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = title, Exact = true }) });
    public ILocator Component(string name) => page.Locator(".component").Filter(new() { Has = page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }) });

    public static async Task<PublicPage> Open(IPage page, string path = "/")
    {
        await page.GotoAsync(path);
        return new PublicPage(page);
    }

    /// <summary>A mark that a reload would wipe out.</summary>
    public Task Mark() => page.EvaluateAsync("() => { window.neverReloaded = true; }");

    public Task<bool> WasNeverReloaded() => page.EvaluateAsync<bool>("() => window.neverReloaded === true");
}
