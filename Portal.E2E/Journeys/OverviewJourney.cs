using Microsoft.Playwright;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>The live overview on a line that is not always there.</summary>
[Collection(OnePortal.Name)]
public class OverviewJourney(SharedPortal shared)
{
    [Fact]
    public async Task After_a_loss_of_the_connection_the_overview_moves_on()
    {
        await using var window = await shared.Staff();
        var page = window.Page;
        var line = await Line.Of(page);
        // Else the chart is a still picture for ten seconds.
        await page.EmulateMediaAsync(new() { ReducedMotion = ReducedMotion.NoPreference });
        await page.GotoAsync("/ops");
        await Moves(page);

        line.Cut();
        await Expect(page.Locator("#components-reconnect-modal")).ToBeVisibleAsync();
        // Longer than the portal waits for a browser's answer: whatever it asked of this one is given up by now.
        var stood = await When(page).TextContentAsync();
        await page.WaitForTimeoutAsync(7_000);
        await Expect(When(page)).ToHaveTextAsync(stood!);
        line.Mend();
        await Expect(page.Locator("#components-reconnect-modal")).ToBeHiddenAsync(new() { Timeout = 30_000 });
        await Moves(page);
    }

    static ILocator When(IPage page) => page.Locator(".live-when");

    /// <summary>Three times, so that no picture that was still on its way is taken for it.</summary>
    static async Task Moves(IPage page)
    {
        await Expect(When(page)).ToContainTextAsync(":", new() { Timeout = 20_000 });
        for (var i = 0; i < 3; i++)
        {
            var before = await When(page).TextContentAsync();
            await Expect(When(page)).Not.ToHaveTextAsync(before!, new() { Timeout = 20_000 });
        }
    }

    /// <summary>The circuit's connection, which can be cut: what is open ends, and no new one comes about.</summary>
    sealed class Line
    {
        readonly List<IWebSocketRoute> open = [];
        volatile bool isCut;

        public static async Task<Line> Of(IPage page)
        {
            var line = new Line();
            await page.RouteWebSocketAsync("**/_blazor*", near =>
            {
                if (line.isCut) { _ = near.CloseAsync(); return; }
                near.ConnectToServer();
                lock (line.open) line.open.Add(near);
            });
            await page.RouteAsync("**/_blazor*/**", route => line.isCut ? route.AbortAsync() : route.ContinueAsync());
            return line;
        }

        public void Cut()
        {
            isCut = true;
            lock (open)
            {
                foreach (var near in open) _ = near.CloseAsync(new() { Code = 4000 });
                open.Clear();
            }
        }

        public void Mend() => isCut = false;
    }
}
