using Microsoft.Playwright;
using Portal.E2E.Support;

namespace Portal.E2E.Journeys;

/// <summary>The read API in other people's pages.</summary>
[Collection(OnePortal.Name)]
public sealed class ReadApiJourneys(SharedPortal shared)
{
    [Fact]
    public async Task The_statuspage_widget_shows_our_status_on_a_page_of_another_origin()
    {
        await using var window = await Browser.Open(shared.Portal);
        var script = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "node_modules", "@statuspage", "status-widget", "dist", "index.js"));
        // Another port is another origin.
        await using var elsewhere = new TargetServer(path => path == "/widget.js"
            ? ("text/javascript", script)
            : ("text/html", $"<!DOCTYPE html><title>Elsewhere</title><statuspage-widget src=\"{shared.Portal.Url}\"></statuspage-widget><script src=\"/widget.js\"></script>"));
        var asked = window.Page.WaitForResponseAsync(r => r.Url.StartsWith(shared.Portal.Url, StringComparison.Ordinal));
        await window.Page.GotoAsync(elsewhere.Url);
        var answer = await asked;
        Assert.Equal(200, answer.Status);
        var expected = (await answer.JsonAsync<System.Text.Json.JsonElement>()).GetProperty("status").GetProperty("description").GetString()!;
        await Assertions.Expect(window.Page.Locator("statuspage-widget")).ToContainTextAsync(expected);
    }
}
