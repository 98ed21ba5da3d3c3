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
        var text = await window.Page.ContentAsync();
        Assert.All(summary.GetProperty("components").EnumerateArray(), c => Assert.Contains(System.Net.WebUtility.HtmlEncode(c.GetProperty("name").GetString()!), text.Replace("&amp;", "&amp;"), StringComparison.Ordinal));
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
