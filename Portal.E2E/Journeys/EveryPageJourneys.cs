using Microsoft.Playwright;
using Portal.E2E.Support;

namespace Portal.E2E.Journeys;

/// <summary>What must hold on every page alike: accessible in light and dark, no sideways scrolling on a phone, nothing blocked or thrown.</summary>
[Collection(OnePortal.Name)]
public class EveryPageJourneys(SharedPortal shared)
{
    static readonly string[] Staff = ["/ops", "/ops/incidents", "/ops/incidents/new", "/ops/monitors", "/ops/monitors/new", "/admin/components", "/admin/people", "/admin/api-keys", "/account"];

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task No_page_for_customers_violates_axe(ColorScheme scheme)
    {
        await using var window = await Browser.Open(shared.Portal, scheme, bypassPolicy: true);
        await Visit(window, Public, scheme, Axe.Violations);
    }

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task No_page_for_staff_violates_axe(ColorScheme scheme)
    {
        await using var window = await shared.Staff(scheme, bypassPolicy: true);
        await Visit(window, await StaffPaths(), scheme, Axe.Violations);
    }

    [Fact]
    public async Task On_a_phone_no_page_scrolls_sideways_and_targets_can_be_hit()
    {
        await using var customer = await Browser.Open(shared.Portal, phone: true);
        await Visit(customer, Public, null, Sideways);
        await using var staff = await shared.Staff(phone: true);
        await Visit(staff, await StaffPaths(), null, Sideways);
    }

    [Fact]
    public async Task No_page_breaks_its_own_content_policy_or_throws()
    {
        await using var customer = await Browser.Open(shared.Portal);
        await Visit(customer, Public, null, _ => Task.FromResult<IReadOnlyList<string>>(customer.Complaints));
        await using var staff = await shared.Staff();
        await Visit(staff, await StaffPaths(), null, _ => Task.FromResult<IReadOnlyList<string>>(staff.Complaints));
    }

    static async Task Visit(Window window, IEnumerable<string> paths, ColorScheme? scheme, Func<IPage, Task<IReadOnlyList<string>>> look)
    {
        var problems = new List<string>();
        foreach (var path in paths)
        {
            var answer = await window.Page.GotoAsync(path, new() { WaitUntil = WaitUntilState.Load });
            if (!answer!.Ok)
            {
                problems.Add($"{path} answered {answer.Status}");
                continue;
            }
            await window.Page.GetByRole(AriaRole.Heading, new() { Level = 1 }).First.WaitForAsync();
            await Assertions.Expect(window.Page.Locator(".skeleton")).ToHaveCountAsync(0);
            await Look.At(window.Page, $"{(scheme?.ToString() ?? (window.Page.ViewportSize!.Width < 500 ? "phone" : "desktop")).ToLowerInvariant()}{path.Replace('/', '-')}");
            problems.AddRange((await look(window.Page)).Select(p => $"{path}: {p}"));
        }
        Assert.True(problems.Count == 0, string.Join('\n', problems.Take(40)));
    }

    static async Task<IReadOnlyList<string>> Sideways(IPage page)
    {
        var wide = await page.EvaluateAsync<string?>("""
            () => document.documentElement.scrollWidth <= window.innerWidth ? null : [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1).slice(0, 4).map(e => `${e.tagName}.${e.className}`).join(', ') || 'wide'
            """);
        return wide is null ? [] : [$"wider than the phone: {wide}"];
    }

    string[] Public => ["/", "/de", "/history", $"/history/{DateTimeOffset.UtcNow:yyyy-MM}", $"/incidents/{shared.OpenIncident}", $"/components/{shared.Slug}", "/docs", "/login", "/setup"];

    async Task<string[]> StaffPaths()
    {
        var monitor = (await Api.Get(shared.Portal, "/api/v1/monitors?limit=1")).GetProperty("items")[0].GetProperty("id").GetString();
        return [.. Staff, $"/ops/incidents/{shared.OpenIncident}", $"/ops/monitors/{monitor}"];
    }
}
