using Microsoft.Playwright;
using Portal.E2E.Support;

namespace Portal.E2E.Journeys;

/// <summary>What must hold on every page alike: accessible in light and dark, no sideways scrolling on a phone, nothing blocked or thrown.</summary>
[Collection(OnePortal.Name)]
public class EveryPageJourneys(SharedPortal shared)
{
    static readonly string[] Staff = ["/ops", "/ops/incidents", "/ops/incidents/new", "/ops/maintenance", "/ops/maintenance?show=all", "/ops/maintenance/new", "/ops/monitors", "/ops/monitors/new", "/ops/monitors/import", "/ops/monitors/places", "/ops/alerts", "/ops/alerts?show=all", "/ops/alerts/rules", "/ops/alerts/rules/new", "/ops/alerts/services", "/ops/alerts/services/new", "/ops/alerts/silences", "/ops/alerts/figures", "/admin/components", "/admin/jobs", "/admin/jobs?state=failed", "/admin/backups", "/admin/backups/history", "/admin/backups/stores", "/admin/backups/plans/new", "/admin/drills", "/ops/on-call/contacts", "/admin/integrations", "/ops/on-call", "/ops/on-call/schedules/new", "/ops/on-call/rotations", "/ops/on-call/rotations/new", "/ops/on-call/policies", "/ops/on-call/policies/new", "/admin/people", "/admin/api-keys", "/account"];

    [Fact]
    public async Task No_page_for_customers_violates_axe_in_light_or_dark()
    {
        await using var window = await Browser.Open(shared.Portal, bypassPolicy: true);
        await Visit(window, Public, page => Axe.Violations(page, NameOf(page)));
        await EveryDayIsOpen(window.Page);
        await Clean(window.Page, "the evidence of open days");
        await RefusedSignIn(window.Page);
        await Clean(window.Page, "a refused sign-in");
    }

    [Fact]
    public async Task No_page_for_staff_violates_axe_in_light_or_dark()
    {
        await using var window = await shared.Staff(bypassPolicy: true);
        await Visit(window, await StaffPaths(), page => Axe.Violations(page, NameOf(page)));
    }

    [Fact]
    public async Task On_a_phone_no_page_scrolls_sideways_and_targets_can_be_hit()
    {
        await using var customer = await Browser.Open(shared.Portal, phone: true);
        await Visit(customer, Public, async page => [.. await Sideways(page), .. await TooSmall(page, 44)]);
        await using var staff = await shared.Staff(phone: true);
        await Visit(staff, await StaffPaths(), async page => [.. await Sideways(page), .. await TooSmall(page, 24)]);
    }

    [Fact]
    public async Task No_page_breaks_its_own_content_policy_or_throws()
    {
        await using var customer = await Browser.Open(shared.Portal);
        await Visit(customer, Public, _ => Task.FromResult<IReadOnlyList<string>>(customer.Complaints));
        await using var staff = await shared.Staff();
        await Visit(staff, await StaffPaths(), _ => Task.FromResult<IReadOnlyList<string>>(staff.Complaints));
    }

    static string NameOf(IPage page) => new Uri(page.Url).AbsolutePath.Replace('/', '-').Trim('-');

    static async Task Visit(Window window, IEnumerable<string> paths, Func<IPage, Task<IReadOnlyList<string>>> look)
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
            if (window.Page.ViewportSize!.Width < 500) await Look.At(window.Page, $"phone-{NameOf(window.Page)}");
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

    static async Task Clean(IPage page, string what)
    {
        var problems = await Axe.Violations(page, what.Replace(' ', '-'));
        Assert.True(problems.Count == 0, $"{what}: {string.Join('\n', problems)}");
    }

    async Task EveryDayIsOpen(IPage page)
    {
        await page.GotoAsync($"/de/components/{shared.Slug}");
        Assert.True(await page.EvaluateAsync<int>("() => [...document.querySelectorAll('details')].map(d => d.open = true).length") > 90);
        await Assertions.Expect(page.Locator("details.evidence li").First).ToBeVisibleAsync();
    }

    static async Task RefusedSignIn(IPage page)
    {
        await page.GotoAsync("/login");
        await page.GetByLabel("E-mail address").FillAsync("nobody@example.com");
        await page.GetByLabel("Password").FillAsync("not a password of anybody");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert).First).ToBeVisibleAsync();
    }

    /// <summary>What can be hit, except links within a sentence, is so high at least. Under 44 px it may be smaller if nothing else lies within 24 px of its middle (WCAG 2.5.8).</summary>
    static async Task<IReadOnlyList<string>> TooSmall(IPage page, int least) => await page.EvaluateAsync<string[]>("""
        least => {
          const inText = e => getComputedStyle(e).display === 'inline' && [...e.parentElement.childNodes].some(n => n.nodeType === 3 && /\p{L}{2}/u.test(n.textContent));
          const boxOf = e => { const label = e.matches('input[type=checkbox], input[type=radio]') ? e.closest('label') ?? document.querySelector(`label[for="${e.id}"]`) : null; return (label ?? e).getBoundingClientRect(); };
          const targets = [...document.querySelectorAll('a[href], button, summary, select, input:not([type=hidden])')]
            .filter(e => e.checkVisibility({ opacityProperty: false, visibilityProperty: true }) && !inText(e)).map(e => ({ e, box: boxOf(e) })).filter(t => t.box.width > 1 && t.box.right > 0 && t.box.bottom > -scrollY);
          if (targets.length === 0) return ['nothing to hit was found'];
          const middle = b => ({ x: b.x + b.width / 2, y: b.y + b.height / 2 });
          const near = (t, o) => { const m = middle(t.box); const x = Math.max(o.box.left, Math.min(m.x, o.box.right)), y = Math.max(o.box.top, Math.min(m.y, o.box.bottom)); return Math.hypot(m.x - x, m.y - y) < 12; };
          const alone = t => least < 44 && targets.every(o => o === t || o.e.contains(t.e) || t.e.contains(o.e) || !near(t, o));
          return targets.filter(t => t.box.height < least - .5 && !alone(t)).slice(0, 8)
            .map(t => `${Math.round(t.box.height)} px high: ${t.e.localName}.${t.e.className} "${t.e.textContent.trim().slice(0, 40)}" in ${t.e.parentElement.localName}.${t.e.parentElement.className}`);
        }
        """, least);

    string[] Public => ["/", "/de", "/history", $"/history/{DateTimeOffset.UtcNow:yyyy-MM}", $"/incidents/{shared.OpenIncident}", $"/components/{shared.Slug}", $"/maintenance/{shared.Maintenance}", $"/de/maintenance/{shared.Maintenance}",
        "/de/history", $"/de/history/{DateTimeOffset.UtcNow:yyyy-MM}", $"/de/incidents/{shared.OpenIncident}", $"/de/components/{shared.Slug}", "/docs", "/login", "/setup"];

    async Task<string[]> StaffPaths()
    {
        var monitor = (await Api.Get(shared.Portal, "/api/v1/monitors?limit=1")).GetProperty("items")[0].GetProperty("id").GetString();
        var schedule = (await Api.Get(shared.Portal, "/api/v1/job-schedules")).GetProperty("items").EnumerateArray().Single(s => s.GetProperty("kind").GetString() == "database-check").GetProperty("id").GetString();
        var job = (await Api.Post(shared.Portal, $"/api/v1/job-schedules/{schedule}/run", new { })).GetProperty("id").GetString();
        var target = (await Api.Get(shared.Portal, "/api/v1/backup-targets")).GetProperty("items").EnumerateArray().Single(t => t.GetProperty("name").GetString() == "portal").GetProperty("id").GetString();
        return [.. Staff, $"/admin/jobs/{job}", $"/admin/drills/{await shared.Drill()}", $"/admin/drills/targets/{target}", $"/ops/incidents/{shared.OpenIncident}", $"/ops/maintenance/{shared.Maintenance}", $"/ops/maintenance/{shared.Maintenance}/edit", $"/ops/monitors/{monitor}"];
    }
}
