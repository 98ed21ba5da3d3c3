using System.Text.Json;
using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>A page that stays open: whatever happens to it meanwhile, it never passes off an old state as the current one.</summary>
[Collection(OnePortal.Name)]
public class OpenPageJourneys(SharedPortal shared)
{
    [Fact]
    public async Task An_incident_reaches_an_open_page_in_one_small_message()
    {
        await using var window = await Browser.Open(shared.Portal);
        var messages = new List<string>();
        window.Page.WebSocket += (_, socket) => socket.FrameReceived += (_, frame) => { lock (messages) messages.Add(frame.Text ?? ""); };
        var open = await PublicPage.Open(window.Page, "/en/");
        await Wait.Until("the page listens", () => { lock (messages) return messages.Exists(m => m.Contains("\"now\"", StringComparison.Ordinal)); });
        var incident = await shared.Declare("Told in one message");
        await Expect(open.Incident("Told in one message")).ToBeVisibleAsync();
        await shared.Resolve(incident);
        await Expect(open.Incident("Told in one message")).ToHaveCountAsync(0);
        string[] told;
        lock (messages) told = [.. messages.Where(m => m.Contains("Told in one message", StringComparison.Ordinal))];
        Assert.NotEmpty(told);
        Assert.All(told, m => Assert.InRange(m.Length, 100, 16 * 1024));
        Assert.Contains(told, m => !m.Contains("\"components\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Coming_back_from_history_it_asks_and_shows_what_is_true_now()
    {
        await using var window = await Browser.Open(shared.Portal);
        var open = await PublicPage.Open(window.Page, "/en/");
        await open.Mark();
        await window.Page.GotoAsync("/history");
        var incident = await shared.Declare("Began while away");
        await Wait.Until("it is public", async () => (await shared.Portal.Http.GetStringAsync("/en/")).Contains("Began while away", StringComparison.Ordinal));
        await Back(window.Page);
        await Expect(open.Incident("Began while away")).ToBeVisibleAsync();
        Assert.True(await open.WasNeverReloaded(), "the browser did not keep the page: nothing was proved");

        await window.Page.GotoAsync("/history");
        await shared.Resolve(incident);
        await window.Offline(true);
        await Back(window.Page);
        await Expect(open.AsOf).ToContainTextAsync("As of");
        await window.Offline(false);
        await Expect(open.Incident("Began while away")).ToHaveCountAsync(0);
        await Expect(open.AsOf).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_page_that_the_browser_kept_as_a_file_asks_too()
    {
        await using var window = await Browser.Open(shared.Portal);
        // A page with a handler for leaving is not kept alive: going back loads it from the browser's store, without asking the server.
        await window.Page.AddInitScriptAsync("addEventListener('unload', () => { })");
        await window.Page.RouteWebSocketAsync("**/hubs/status*", socket => socket.CloseAsync());
        var open = await PublicPage.Open(window.Page, "/en/");
        await open.Mark();
        await window.Page.GotoAsync("/history");
        var incident = await shared.Declare("Began elsewhere");
        await Wait.Until("it is public", async () => (await shared.Portal.Http.GetStringAsync("/en/")).Contains("Began elsewhere", StringComparison.Ordinal));
        await Back(window.Page);
        await Expect(open.Incident("Began elsewhere")).ToBeVisibleAsync(new() { Timeout = 5_000 });
        Assert.False(await open.WasNeverReloaded(), "the browser kept the page alive: nothing was proved");
        await shared.Resolve(incident);
    }

    [Fact]
    public async Task Waking_from_sleep_it_asks_first()
    {
        await using var window = await Browser.Open(shared.Portal);
        var open = await PublicPage.Open(window.Page, "/en/");
        await open.Mark();
        var session = await window.Page.Context.NewCDPSessionAsync(window.Page);
        await Life(session, "frozen");
        var incident = await shared.Declare("Began while asleep");
        await Wait.Until("it is public", async () => (await shared.Portal.Http.GetStringAsync("/en/")).Contains("Began while asleep", StringComparison.Ordinal));
        await Life(session, "active");
        await Expect(open.Incident("Began while asleep")).ToBeVisibleAsync();

        await window.Offline(true);
        await shared.Resolve(incident);
        await Expect(open.AsOf).ToContainTextAsync("As of");
        await Look.At(window.Page, "open-page-offline");
        await Expect(open.Incident("Began while asleep")).ToBeVisibleAsync();
        await window.Offline(false);
        await Expect(open.Incident("Began while asleep")).ToHaveCountAsync(0);
        await Expect(open.AsOf).ToHaveCountAsync(0);
        Assert.True(await open.WasNeverReloaded());
    }

    [Fact]
    public async Task Without_the_hub_it_follows_by_asking_with_the_tag_it_holds_and_says_as_of_when_once_nobody_answers()
    {
        await using var window = await Browser.Open(shared.Portal);
        await window.Page.Clock.InstallAsync();
        var session = await window.Page.Context.NewCDPSessionAsync(window.Page);
        await session.SendAsync("Network.enable");
        var statuses = new List<int>();
        session.Event("Network.responseReceivedExtraInfo").OnEvent += (_, e) => { lock (statuses) statuses.Add(e!.Value.GetProperty("statusCode").GetInt32()); };
        await window.Page.RouteWebSocketAsync("**/hubs/status*", socket => socket.CloseAsync());
        var open = await PublicPage.Open(window.Page, "/en/");
        await open.Mark();
        await Wait.Until("an unchanged page costs 304", async () =>
        {
            await window.Page.Clock.RunForAsync(25_000);
            lock (statuses) return statuses.Contains(304);
        });
        var incident = await shared.Declare("Found by asking");
        await Wait.Until("the page has found it", async () =>
        {
            await window.Page.Clock.RunForAsync(25_000);
            return await open.Incident("Found by asking").CountAsync() == 1;
        });
        await Expect(open.AsOf).ToHaveCountAsync(0);

        await window.Page.RouteAsync("**/en/", route => route.AbortAsync());
        await shared.Resolve(incident);
        await Wait.Until("it says as of when", async () =>
        {
            await window.Page.Clock.RunForAsync(25_000);
            return await open.AsOf.CountAsync() == 1;
        });
        Assert.Matches(@"As of \d\d:\d\d", await open.AsOf.TextContentAsync() ?? "");
        await window.Page.UnrouteAllAsync();
        await Wait.Until("it is current again", async () =>
        {
            await window.Page.Clock.RunForAsync(25_000);
            return await open.AsOf.CountAsync() == 0 && await open.Incident("Found by asking").CountAsync() == 0;
        });
        Assert.True(await open.WasNeverReloaded());
    }

    [Fact]
    public async Task A_restored_database_is_followed_although_its_versions_are_lower_and_its_changes_older()
    {
        await using var window = await Browser.Open(shared.Portal);
        await window.Page.Clock.InstallAsync();
        var open = await PublicPage.Open(window.Page, "/en/");
        var incident = await shared.Declare("Not in the backup");
        await Expect(open.Incident("Not in the backup")).ToBeVisibleAsync();
        await open.Mark();
        var seen = await Version(window.Page);
        await shared.Portal.Sql($"delete from incidents where id = '{incident}'; update page_versions set version = version - 3, changed_at = changed_at - interval '1 hour'");
        await Wait.Until("the server tells the older state", async () => !(await shared.Portal.Http.GetStringAsync("/en/")).Contains("Not in the backup", StringComparison.Ordinal));
        await Wait.Until("the page has followed", async () =>
        {
            await window.Page.Clock.RunForAsync(15_000);
            return await open.Incident("Not in the backup").CountAsync() == 0;
        }, 30);
        Assert.True(await Version(window.Page) < seen);
        Assert.False(await open.WasNeverReloaded());
        var next = await shared.Declare("After the restore");
        await Expect(open.Incident("After the restore")).ToBeVisibleAsync();
        await shared.Resolve(next);
    }

    [Fact]
    public async Task On_paper_it_is_complete_black_on_white_and_without_controls()
    {
        await using var window = await Browser.Open(shared.Portal, ColorScheme.Dark);
        foreach (var path in new[] { "/en/", $"/incidents/{shared.OpenIncident}", $"/components/{shared.Slug}", "/history" })
        {
            await window.Page.GotoAsync(path);
            await window.Page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = ColorScheme.Dark });
            Assert.Empty(await Hits(window.Page, "button, select, .follow, .skip, .foot nav a, .choices"));
            Assert.Equal("rgb(0, 0, 0)", await window.Page.EvaluateAsync<string>("() => getComputedStyle(document.querySelector('h1')).color"));
            Assert.Equal("rgb(255, 255, 255)", await window.Page.EvaluateAsync<string>("() => getComputedStyle(document.documentElement).backgroundColor"));
            await Look.At(window.Page, "print" + path.TrimEnd('/').Replace('/', '-'));
            if (path != "/en/") continue;
            var components = await window.Page.Locator(".component").CountAsync();
            Assert.True(components >= 5);
            // Folded groups as well: every name, state and strip.
            Assert.Equal(components, (await Hits(window.Page, ".component .title")).Length);
            Assert.Equal(components, (await Hits(window.Page, ".component .badge")).Length);
            Assert.Equal(components, (await Hits(window.Page, ".component .strip")).Length);
        }
    }

    /// <summary>The texts of those that take up room.</summary>
    static Task<string[]> Hits(IPage page, string selector) => page.EvaluateAsync<string[]>(
        "s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility() && e.getBoundingClientRect().width > 2 && e.getBoundingClientRect().left > -500).map(e => e.textContent.trim() || e.tagName)", selector);

    static Task Life(ICDPSession session, string state) => session.SendAsync("Page.setWebLifecycleState", new Dictionary<string, object> { ["state"] = state });

    static async Task<long> Version(IPage page) => long.Parse((await page.Locator("html").GetAttributeAsync("data-version"))!, System.Globalization.CultureInfo.InvariantCulture);

    static async Task Back(IPage page)
    {
        await page.GoBackAsync(new() { WaitUntil = WaitUntilState.Commit });
        await page.WaitForFunctionAsync("() => location.pathname === '/en/'");
    }
}
