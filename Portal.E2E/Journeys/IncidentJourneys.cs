using System.Diagnostics;
using Portal.E2E.Pages;
using Portal.E2E.Support;
using static Microsoft.Playwright.Assertions;

namespace Portal.E2E.Journeys;

[Collection(OnePortal.Name)]
public class IncidentJourneys(SharedPortal shared)
{
    [Fact]
    public async Task Two_people_in_one_room_see_each_others_posts_and_customers_see_only_the_public_ones()
    {
        await using var alice = await shared.Staff();
        await using var bob = await shared.Staff();
        var room = await (await DeclarePage.Open(alice.Page)).Declare("Search is slow", "Searches take up to 20 seconds.", severity: "P2");
        var other = await RoomPage.Open(bob.Page, room.Id);
        await using var customer = await Browser.Open(shared.Portal);
        var open = await PublicPage.Open(customer.Page);
        await Expect(open.Incident("Search is slow")).ToBeVisibleAsync();
        await open.Mark();

        await room.Post("One index is being rebuilt.");
        await Expect(other.Timeline.GetByText("One index is being rebuilt.")).ToBeVisibleAsync();
        await Expect(open.Incident("Search is slow")).ToContainTextAsync("One index is being rebuilt.");

        await other.PostNote("The second node is next, do not tell yet.");
        await Expect(room.Timeline.GetByText("The second node is next")).ToBeVisibleAsync();
        await room.Resolve("The index is rebuilt.");
        await Expect(open.Incident("Search is slow")).ToHaveCountAsync(0);
        await Expect(open.Past("Search is slow")).ToContainTextAsync("The index is rebuilt.");
        await Expect(open.Page.GetByText("do not tell yet")).ToHaveCountAsync(0);
        Assert.True(await open.WasNeverReloaded());
        foreach (var path in new[] { "/", $"/incidents/{room.Id}", "/api/v2/incidents.json", "/history.rss", "/history.atom" })
            Assert.DoesNotContain("do not tell yet", await shared.Portal.Http.GetStringAsync(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_note_that_was_not_sent_comes_back_as_a_note_after_a_reload_and_reaches_no_customer()
    {
        await using var staff = await shared.Staff();
        var room = await (await DeclarePage.Open(staff.Page)).Declare("Exports are late", "Exports arrive late.");
        await Expect(staff.Page.GetByRole(Microsoft.Playwright.AriaRole.Heading, new() { Name = "Exports are late", Level = 1 })).ToBeFocusedAsync();
        await staff.Page.GetByRole(Microsoft.Playwright.AriaRole.Radio, new() { Name = "Team note" }).CheckAsync(new() { Force = true });
        await room.Note.FillAsync("Their contract ends tomorrow, keep this inside.");
        await staff.Page.ReloadAsync();
        await Expect(room.Note).ToHaveValueAsync("Their contract ends tomorrow, keep this inside.");
        await Expect(room.Message).ToHaveCountAsync(0);
        await room.Note.PressAsync("Control+Enter");
        await Expect(room.Timeline.GetByText("keep this inside")).ToBeVisibleAsync();
        await room.Resolve("They are in time again.");
        Assert.DoesNotContain("keep this inside", await shared.Portal.Http.GetStringAsync($"/incidents/{room.Id}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_incident_is_declared_by_keyboard_alone_in_less_than_thirty_seconds()
    {
        await using var staff = await shared.Staff();
        var page = staff.Page;
        await Expect(page.GetByRole(Microsoft.Playwright.AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();
        var clock = Stopwatch.StartNew();
        await page.Keyboard.PressAsync("d");
        await Expect(new DeclarePage(page).Title).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("Checkout answers slowly");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("ArrowUp");
        while (!await new DeclarePage(page).Message.EvaluateAsync<bool>("e => e === document.activeElement")) await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("We see it too and are looking for the cause.");
        await page.Keyboard.PressAsync("Control+Enter");
        await RoomPage.Arrived(page, "Checkout answers slowly");
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 30);
        await Wait.Until("the incident is public", async () => (await shared.Portal.Http.GetStringAsync("/api/v2/incidents/unresolved.json")).Contains("Checkout answers slowly", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_double_click_declares_one_incident()
    {
        await using var staff = await shared.Staff();
        var declare = await DeclarePage.Open(staff.Page);
        await declare.Title.FillAsync("Twice clicked");
        await declare.Message.FillAsync("Once is enough.");
        await declare.Publish.DblClickAsync();
        await RoomPage.Arrived(staff.Page, "Twice clicked");
        var all = await Api.Get(shared.Portal, "/api/v1/incidents?limit=50");
        Assert.Single(all.GetProperty("items").EnumerateArray(), i => i.GetProperty("title").GetString() == "Twice clicked");
    }

    [Fact]
    public async Task Two_edits_of_one_update_are_not_both_saved_and_the_loser_sees_both_texts()
    {
        await using var alice = await shared.Staff();
        await using var bob = await shared.Staff();
        var room = await (await DeclarePage.Open(alice.Page)).Declare("Mails are late", "Mails arrive late.");
        var other = await RoomPage.Open(bob.Page, room.Id);
        foreach (var one in new[] { room, other }) await one.Timeline.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Edit" }).ClickAsync();
        await room.Page.GetByLabel("Text of this entry").FillAsync("Mails arrive ten minutes late.");
        await other.Page.GetByLabel("Text of this entry").FillAsync("Mails arrive an hour late.");
        await room.Page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Save the new text" }).ClickAsync();
        await Expect(room.Timeline.GetByText("Mails arrive ten minutes late.")).ToBeVisibleAsync();
        await other.Page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Save the new text" }).ClickAsync();
        await Expect(other.Timeline.GetByText("What stands now")).ToBeVisibleAsync();
        await Expect(other.Timeline.GetByText("Mails arrive ten minutes late.").First).ToBeVisibleAsync();
        await Expect(other.Page.GetByLabel("Text of this entry")).ToHaveValueAsync("Mails arrive an hour late.");
    }

    [Fact]
    public async Task Markup_in_every_text_is_shown_as_it_was_typed_and_never_runs()
    {
        const string evil = "<script>window.hacked=1</script><img src=x onerror=\"window.hacked=1\">{{7*7}}";
        await using var staff = await shared.Staff();
        var room = await (await DeclarePage.Open(staff.Page)).Declare(evil, evil);
        await room.PostNote(evil + " note");
        await using var customer = await Browser.Open(shared.Portal);
        foreach (var path in new[] { "/", $"/incidents/{room.Id}", "/history" })
        {
            var open = await PublicPage.Open(customer.Page, path);
            await Expect(open.Page.GetByText(evil).First).ToBeVisibleAsync();
            Assert.False(await open.Page.EvaluateAsync<bool>("() => 'hacked' in window"));
        }
        Assert.False(await staff.Page.EvaluateAsync<bool>("() => 'hacked' in window"));
        Assert.Empty(customer.Complaints);
        await room.Resolve("Over.");
    }
}
