using Microsoft.Playwright;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

[Collection(OnePortal.Name)]
public class PublicPageJourneys(SharedPortal shared)
{
    [Fact]
    public async Task Without_JavaScript_the_page_is_complete()
    {
        var summary = System.Text.Json.JsonDocument.Parse(await shared.Portal.Http.GetStringAsync("/api/v2/summary.json")).RootElement;
        await using var window = await Browser.Open(shared.Portal, script: false);
        var page = await PublicPage.Open(window.Page);
        await Expect(page.Headline).ToHaveCountAsync(1);
        var text = await window.Page.Locator("body").TextContentAsync() ?? "";
        Assert.All(summary.GetProperty("components").EnumerateArray(), c => Assert.Contains(c.GetProperty("name").GetString()!, text, StringComparison.Ordinal));
        var component = summary.GetProperty("components").EnumerateArray().First(c => !c.GetProperty("group").GetBoolean()).GetProperty("name").GetString()!;
        await window.Page.GetByRole(AriaRole.Link, new() { Name = component, Exact = true }).First.ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = component, Level = 1 })).ToBeVisibleAsync();
        await Look.At(window.Page, "component-without-script");
    }

    [Fact]
    public async Task The_first_load_costs_at_most_forty_kilobytes_and_five_requests_and_asks_no_third_party()
    {
        await using var window = await Browser.Open(shared.Portal);
        var load = await FirstLoad.Of(window.Page, "/");
        Assert.All(load.Addresses, a => Assert.StartsWith(shared.Portal.Url, a.Replace("ws://", "http://", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.True(load.Requests <= 5, $"{load.Requests} requests: {string.Join(", ", load.Addresses)}");
        Assert.InRange(load.Bytes, 1_000, 40 * 1024);
        Assert.Empty(window.Complaints);
    }

    [Fact]
    public async Task A_visitor_gets_the_language_of_the_browser_and_can_choose_the_other()
    {
        await using var german = await Browser.Open(shared.Portal, locale: "de-DE");
        await german.Page.GotoAsync("/");
        await Expect(german.Page.Locator("html")).ToHaveAttributeAsync("lang", "de");
        await german.Page.GetByRole(AriaRole.Link, new() { Name = "English" }).ClickAsync();
        await Expect(german.Page.Locator("html")).ToHaveAttributeAsync("lang", "en");
    }

    [Fact]
    public async Task The_foot_says_in_whose_zone_the_times_are_and_says_it_once()
    {
        await using var plain = await Browser.Open(shared.Portal, script: false);
        await plain.Page.GotoAsync("/en/");
        await Expect(plain.Page.Locator(".foot")).ToContainTextAsync("Days and times are in UTC.");
        await using var window = await Browser.Open(shared.Portal);
        await window.Page.GotoAsync("/en/");
        var zone = window.Page.Locator("#zone");
        await Expect(zone).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^Days are in UTC, times in your zone \\(CES?T\\); point at one for the page’s\\.$"));
        await Expect(window.Page.Locator(".foot")).Not.ToContainTextAsync("Days and times are in");
        await window.Page.EmulateMediaAsync(new() { Media = Media.Print });
        await Expect(zone).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Pointing_at_a_day_names_it_as_the_page_writes_days()
    {
        await using var window = await Browser.Open(shared.Portal);
        await window.Page.GotoAsync("/en/");
        var strip = window.Page.Locator("a.strip-link").First;
        await strip.HoverAsync();
        await Expect(strip).ToHaveAttributeAsync("title", new System.Text.RegularExpressions.Regex(@"^\d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 20\d\d$"));
    }

    [Theory]
    [InlineData("/subscribe")]
    [InlineData("/fr/")]
    public async Task An_address_that_does_not_exist_is_answered_in_the_language_of_the_browser_on_the_pages_own_page(string path)
    {
        await using var window = await Browser.Open(shared.Portal, locale: "de-DE");
        var answer = await window.Page.GotoAsync(path);
        Assert.Equal(404, answer!.Status);
        await Expect(window.Page.GetByRole(AriaRole.Heading, new() { Name = "Diese Seite gibt es nicht" })).ToBeVisibleAsync();
        await Expect(window.Page.Locator(".foot")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Visitors_who_sign_in_nowhere_open_no_circuit()
    {
        await using var window = await Browser.Open(shared.Portal);
        var sockets = new List<string>();
        window.Page.WebSocket += (_, socket) => sockets.Add(socket.Url);
        await window.Page.GotoAsync("/", new() { WaitUntil = WaitUntilState.NetworkIdle });
        Assert.Contains(sockets, s => s.Contains("/hubs/status", StringComparison.Ordinal));
        Assert.DoesNotContain(sockets, s => s.Contains("_blazor", StringComparison.Ordinal));
    }
}
