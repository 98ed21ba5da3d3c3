using Microsoft.Playwright;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

/// <summary>The order of the components, which is the order of the status page: by mouse and by keyboard.</summary>
[Collection(OnePortal.Name)]
public class ArrangeJourney(SharedPortal shared)
{
    static readonly string[] Names = ["Arranged first", "Arranged second", "Arranged third"];

    [Fact]
    public async Task Components_are_dragged_into_their_order_and_moved_by_keyboard_and_customers_see_the_same_order()
    {
        foreach (var name in Names) await Api.Post(shared.Portal, "/api/v1/components", new { name });
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await page.GotoAsync("/admin/components");
        await Stands(page, Names);

        // Onto the upper half of the first row: before it.
        await Drag(page, "Arranged third", "Arranged first", upperHalf: true);
        await Stands(page, ["Arranged third", "Arranged first", "Arranged second"]);
        await Drag(page, "Arranged third", "Arranged second", upperHalf: false);
        await Stands(page, ["Arranged first", "Arranged second", "Arranged third"]);
        await Drag(page, "Arranged third", "Arranged second", upperHalf: true);
        string[] dragged = ["Arranged first", "Arranged third", "Arranged second"];
        await Stands(page, dragged);
        await page.ReloadAsync();
        await Stands(page, dragged);
        await Customers(dragged);

        var row = Row(page, "Arranged second");
        await row.FocusAsync();
        await page.Keyboard.PressAsync("Alt+ArrowUp");
        await Stands(page, ["Arranged first", "Arranged second", "Arranged third"]);
        // The focus goes along, so that the key can be pressed again.
        await Expect(row).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Alt+ArrowUp");
        string[] moved = ["Arranged second", "Arranged first", "Arranged third"];
        await Stands(page, moved);
        await Expect(page.GetByText("Arranged second is now ")).ToHaveCountAsync(1);
        await page.ReloadAsync();
        await Stands(page, moved);
        await Customers(moved);
        Assert.Empty(staff.Complaints);
    }

    static ILocator Row(IPage page, string name) => page.Locator($".tree-row[aria-label='{name}']");

    /// <summary>As a hand does it: pressed on the handle, moved in steps, let go.</summary>
    static async Task Drag(IPage page, string what, string onto, bool upperHalf)
    {
        await Row(page, what).ScrollIntoViewIfNeededAsync();
        var handle = (await Row(page, what).Locator(".handle").BoundingBoxAsync())!;
        var target = (await Row(page, onto).BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(handle.X + handle.Width / 2, handle.Y + handle.Height / 2);
        await page.Mouse.DownAsync();
        var (x, y) = (target.X + 60, target.Y + target.Height * (upperHalf ? .25f : .75f));
        await page.Mouse.MoveAsync(x, y, new() { Steps = 6 });
        // A browser tells of entering first, and of being over it with the next movement.
        await page.Mouse.MoveAsync(x + 3, y);
        await page.Mouse.MoveAsync(x + 6, y);
        await Expect(Row(page, onto)).ToHaveClassAsync(new System.Text.RegularExpressions.Regex(upperHalf ? "drop-before" : "drop-after"));
        await page.Mouse.UpAsync();
        await Expect(page.Locator(".drop-before, .drop-after, .dragging")).ToHaveCountAsync(0);
    }

    static Task Stands(IPage page, string[] order) => Expect(page.Locator(".tree-row[aria-label^='Arranged '] strong")).ToHaveTextAsync(order);

    async Task Customers(string[] order)
    {
        await Wait.Until("customers see this order", async () =>
        {
            var text = await shared.Portal.Http.GetStringAsync("/en/");
            var places = order.Select(n => text.IndexOf($">{n}<", StringComparison.Ordinal)).ToList();
            return places[0] > 0 && places.SequenceEqual(places.Order());
        });
    }
}
