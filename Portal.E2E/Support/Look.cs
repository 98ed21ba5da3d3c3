using Microsoft.Playwright;

namespace Portal.E2E.Support;

/// <summary>Pictures for people, under the git-ignored test-results/.</summary>
static class Look
{
    public static async Task At(IPage page, string name, bool whole = true) =>
        await page.ScreenshotAsync(new() { Path = Path.Combine(Checkout.Root, "test-results", name + ".png"), FullPage = whole });
}
