using Microsoft.Playwright;
using Portal.E2E.Support;

namespace Portal.E2E.Pages;

/// <summary>Where the first administrator is made, through the link that the portal printed.</summary>
static class SetupPage
{
    public static async Task CreateAdministrator(IPage page, string link)
    {
        await page.GotoAsync(link);
        await page.GetByLabel("Your name").FillAsync("Alice");
        await page.GetByLabel("E-mail address").FillAsync(PortalProcess.AdminEmail);
        await page.GetByLabel("Password", new() { Exact = true }).FillAsync(PortalProcess.AdminPassword);
        await page.GetByLabel("Password again").FillAsync(PortalProcess.AdminPassword);
        await page.GetByRole(AriaRole.Button, new() { Name = "Create the administrator" }).ClickAsync();
        await page.WaitForURLAsync("**/ops");
    }
}

static class LoginPage
{
    public static async Task SignIn(IPage page, string email = PortalProcess.AdminEmail, string password = PortalProcess.AdminPassword)
    {
        await page.GotoAsync("/login");
        await page.GetByLabel("E-mail address").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.WaitForURLAsync("**/ops");
    }
}
