using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>Somebody types faster than the database answers: Enter opens what was meant or nothing, never what an earlier text had found.</summary>
[Collection(OnePortal.Name)]
public class HastyPaletteJourney(SharedPortal shared)
{
    [Fact]
    public async Task Enter_opens_only_what_was_found_for_the_text_that_stands_there()
    {
        var meant = await shared.Declare("Payouts run twice");
        var other = await shared.Declare("Payroll stands still");
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await page.GotoAsync("/ops/monitors");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Monitors", Exact = true })).ToBeVisibleAsync();
        await Expect(page.Locator(".skeleton")).ToHaveCountAsync(0);
        await page.Keyboard.PressAsync("Control+k");
        var palette = page.Locator("#palette");
        var status = palette.GetByRole(AriaRole.Status);
        await Expect(status).ToHaveTextAsync("");
        await page.Keyboard.TypeAsync("pay");
        await Expect(status).ToHaveTextAsync(new Regex(@"^\d+ found$"));
        await Expect(Entry(page, meant)).ToBeVisibleAsync();
        // So far Enter would have opened the other one.
        await Expect(Entry(page, other)).ToHaveAttributeAsync("aria-selected", "true");

        await using (await HeldTable.Hold(shared.Portal, "monitors"))
        {
            await page.Keyboard.TypeAsync("out");
            await page.Keyboard.PressAsync("Enter");
            await Expect(Entry(page, other)).ToBeHiddenAsync();
            // The server has heard all that was typed and pressed, and has nothing to show yet.
            await Expect(status).ToHaveTextAsync("Searching…");
            await Expect(palette).ToBeVisibleAsync();
            await Expect(page).ToHaveURLAsync(new Regex("/ops/monitors$"));
        }
        await Expect(page).ToHaveURLAsync(new Regex($"/ops/incidents/{meant}$"));
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1, Name = "Payouts run twice", Exact = true })).ToBeVisibleAsync();
        await Expect(palette).ToBeHiddenAsync();

        await LeavingCallsItOff(page, other, meant);
        await OpenedAgainItShowsNothingOfBefore(page);
        Assert.Empty(staff.Complaints);
        foreach (var id in (string[])[meant, other]) await shared.Resolve(id);
    }

    async Task LeavingCallsItOff(IPage page, string found, string here)
    {
        await using (await HeldTable.Hold(shared.Portal, "monitors"))
        {
            await page.Keyboard.PressAsync("Control+k");
            await page.Keyboard.TypeAsync("payroll");
            await page.Keyboard.PressAsync("Enter");
            await page.Keyboard.PressAsync("Escape");
            await Expect(page.Locator("#palette")).ToBeHiddenAsync();
        }
        await Expect(Entry(page, found)).ToHaveCountAsync(1);
        await Expect(page.Locator("#palette [data-found=payroll]")).Not.ToHaveCountAsync(0);
        await Expect(page).ToHaveURLAsync(new Regex($"/ops/incidents/{here}$"));
    }

    static async Task OpenedAgainItShowsNothingOfBefore(IPage page)
    {
        // In one turn of the browser, before the server can have heard of it.
        var entries = await page.EvaluateAsync<int[]>("""
            () => {
              document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }));
              const found = [...document.querySelectorAll('#palette [data-found]')];
              return [found.length, found.filter(li => li.checkVisibility()).length];
            }
            """);
        Assert.True(entries[0] > 0, "nothing was left of before: nothing was proved");
        Assert.Equal(0, entries[1]);
        await Expect(page.Locator("#palette-input")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
    }

    static ILocator Entry(IPage page, string incident) => page.Locator($"#palette [data-found] a[href='/ops/incidents/{incident}']");
}
