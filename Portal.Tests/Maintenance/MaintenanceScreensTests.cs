using AngleSharp.Dom;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Features.Maintenance;
using Portal.Tests.Support;

namespace Portal.Tests.Maintenance;

public class MaintenanceScreensTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly FakeClock clock = new(new DateTimeOffset(2026, 3, 2, 9, 20, 0, TimeSpan.Zero));

    DateTimeOffset Now => clock.GetUtcNow();

    StaffScreen Screen(Actor actor, string zone = "Europe/Berlin")
    {
        var screen = new StaffScreen(database, clock, actor);
        screen.JSInterop.Setup<string?>("portalZone", _ => true).SetResult(zone);
        return screen;
    }

    async Task<Component> AComponent(string name)
    {
        await using var db = database.Open();
        var component = new Component(name, null, null, null, 0, Now);
        db.Add(component);
        await db.SaveChangesAsync();
        return component;
    }

    Task<MaintenanceId> Scheduled(string title, int from = 60, int to = 120, params ComponentId[] components) => new ScheduleMaintenance(database.Contexts, clock).Execute(
        new(new(title, "Saving may fail.", Now.AddMinutes(from), Now.AddMinutes(to), "Europe/Berlin", TimeSpan.Zero, components)), Cast.Bob, default);

    static IRenderedComponent<MaintenanceEditor> Form(StaffScreen screen, MaintenanceId? id = null)
    {
        var page = screen.Render<MaintenanceEditor>(p => p.Add(x => x.Key, id?.ToString()));
        page.WaitForElement("#title", Patience);
        return page;
    }

    static IRenderedComponent<MaintenancePage> Page(StaffScreen screen, MaintenanceId id)
    {
        var page = screen.Render<MaintenancePage>(p => p.Add(x => x.Key, id.ToString()));
        page.WaitForElement(".timeline", Patience);
        return page;
    }

    static IElement Button(IRenderedComponent<IComponent> page, string words) => page.FindAll("button").First(b => b.TextContent.Trim() == words);

    static string Address(StaffScreen screen) => screen.Services.GetRequiredService<NavigationManager>().Uri;

    [Fact]
    public async Task It_begins_at_the_next_full_hour_where_the_person_lives_and_the_end_goes_along()
    {
        var component = await AComponent("Ledger");
        await using var screen = Screen(Cast.Bob);
        var form = Form(screen);
        Assert.Equal(("2026-03-02T11:00:00", "2026-03-02T12:00:00"), (form.Find("#starts").GetAttribute("value"), form.Find("#ends").GetAttribute("value")));
        Assert.Contains("Begins (Europe/Berlin)", form.Markup, StringComparison.Ordinal);
        form.Find("#title").Change("Ledger upgrade");
        form.Find("#message").Change("Bookings wait.");
        form.Find("#starts").Change("2026-03-03T22:30:00");
        form.WaitForAssertion(() => Assert.Equal("2026-03-03T23:30:00", form.Find("#ends").GetAttribute("value")), Patience);
        form.Find(".picker li:contains('Ledger') input").Change(true);
        form.WaitForAssertion(() => Assert.Contains("1 component is under maintenance", form.Find(".publish").TextContent, StringComparison.Ordinal), Patience);
        form.Find("#verify").Change("15");
        form.Find("form").Submit();
        form.WaitForAssertion(() => Assert.Contains("/ops/maintenance/", Address(screen), StringComparison.Ordinal), Patience);
        await using var db = database.Open();
        var saved = await db.MaintenanceWindows.Include(w => w.Scope).SingleAsync(w => w.Title == "Ledger upgrade");
        Assert.Equal((new DateTimeOffset(2026, 3, 3, 21, 30, 0, TimeSpan.Zero), TimeSpan.FromHours(1), TimeSpan.FromMinutes(15), "Europe/Berlin"), (saved.StartsAt, saved.EndsAt - saved.StartsAt, saved.VerifyFor, saved.Zone));
        Assert.Equal([component.Id], saved.Components);
    }

    [Fact]
    public async Task A_time_that_the_clocks_jump_over_and_one_in_the_past_are_refused_beside_their_field_and_nothing_typed_is_lost()
    {
        await using var screen = Screen(Cast.Bob);
        var form = Form(screen);
        form.Find("#title").Change("At night");
        form.Find("#message").Change("Bookings wait.");
        foreach (var (start, words) in new[] { ("2026-03-29T02:30:00", "jump over"), ("2026-03-01T10:00:00", "in the past") })
        {
            form.Find("#starts").Change(start);
            form.Find("form").Submit();
            form.WaitForAssertion(() => Assert.Contains(words, form.Find("#starts-error").TextContent, StringComparison.Ordinal), Patience);
        }
        form.Find("#verify").Change("a while");
        form.Find("#starts").Change("2026-03-04T10:00:00");
        form.Find("form").Submit();
        form.WaitForAssertion(() => Assert.Contains("number of minutes", form.Find("#verify-error").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal("Bookings wait.", form.Find("#message").GetAttribute("value"));
        await using var db = database.Open();
        Assert.False(await db.MaintenanceWindows.AnyAsync(w => w.Title == "At night"));
    }

    [Fact]
    public async Task It_warns_of_another_window_and_of_an_open_incident_on_the_same_component()
    {
        var component = await AComponent("Warned");
        await Scheduled("Earlier announced", 60, 180, component.Id);
        await new DeclareIncident(database.Contexts, clock).Execute(new("Warned fails", Severity.P2, "It fails.", [new(component.Id, ComponentStatus.PartialOutage)]), Cast.Bob, default);
        await using var screen = Screen(Cast.Bob);
        var form = Form(screen);
        Assert.Empty(form.FindAll(".notice.warning"));
        form.Find(".picker li:contains('Warned') input").Change(true);
        form.WaitForAssertion(() => Assert.Contains("Overlaps Earlier announced", form.Find(".notice.warning").TextContent, StringComparison.Ordinal), Patience);
        Assert.Contains("Warned fails is open", form.Find(".notice.warning").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_who_edit_the_second_sees_both_and_may_replace_what_stands()
    {
        var id = await Scheduled("Edited by two");
        await using var alice = Screen(Cast.Alice);
        await using var bob = Screen(Cast.Bob);
        var (first, second) = (Form(alice, id), Form(bob, id));
        first.Find("#message").Change("Alice's words.");
        first.Find("form").Submit();
        first.WaitForAssertion(() => Assert.EndsWith($"/ops/maintenance/{id}", Address(alice), StringComparison.Ordinal), Patience);
        second.Find("#message").Change("Bob's words.");
        second.Find("form").Submit();
        second.WaitForAssertion(() => Assert.Contains("Alice's words.", second.Find(".both").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal("Bob's words.", second.Find("#message").GetAttribute("value"));
        Assert.Contains("Somebody else changed", second.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Button(second, "Replace with yours").Closest("form")!.Submit();
        second.WaitForAssertion(() => Assert.EndsWith($"/ops/maintenance/{id}", Address(bob), StringComparison.Ordinal), Patience);
        await using var db = database.Open();
        Assert.Equal("Bob's words.", (await db.MaintenanceWindows.SingleAsync(w => w.Id == id)).Message);
    }

    [Fact]
    public async Task What_was_not_touched_stays_to_the_second_and_a_start_that_passed_cannot_be_typed()
    {
        var id = await Scheduled("To the second");
        clock.FastForward(TimeSpan.FromSeconds(17));
        await new MoveMaintenance(database.Contexts, clock).Execute(new(id, MaintenanceStep.Start), Cast.Bob, default);
        await using var screen = Screen(Cast.Bob);
        var form = Form(screen, id);
        Assert.True(form.Find("#starts").HasAttribute("disabled"));
        form.Find("#title").Change("To the very second");
        form.Find("form").Submit();
        form.WaitForAssertion(() => Assert.EndsWith($"/ops/maintenance/{id}", Address(screen), StringComparison.Ordinal), Patience);
        await using var db = database.Open();
        var saved = await db.MaintenanceWindows.SingleAsync(w => w.Id == id);
        Assert.Equal(("To the very second", 17), (saved.Title, saved.StartsAt.Second));
    }

    [Fact]
    public async Task Its_page_starts_extends_verifies_and_ends_it_after_asking_where_customers_see_it()
    {
        var component = await AComponent("Shop");
        var id = await Scheduled("Steered", 60, 120, component.Id);
        await using var screen = Screen(Cast.Bob);
        var page = Page(screen, id);
        await page.InvokeAsync(() => Button(page, "Start now…").Click());
        page.WaitForAssertion(() => Assert.Contains("Shop changes", page.Find("dialog").TextContent, StringComparison.Ordinal), Patience);
        page.Find("dialog form").Submit();
        page.WaitForAssertion(() => Assert.Contains("In progress", page.Find(".facts").TextContent, StringComparison.Ordinal), Patience);
        Assert.Empty(page.FindAll("dialog"));
        await page.InvokeAsync(() => Button(page, "+30 min").Click());
        page.WaitForAssertion(() => Assert.Contains("Moved from", page.Find(".timeline").TextContent, StringComparison.Ordinal), Patience);
        await page.InvokeAsync(() => Button(page, "Verify now").Click());
        page.WaitForAssertion(() => Assert.Contains("Verifying", page.Find(".facts").TextContent, StringComparison.Ordinal), Patience);
        await page.InvokeAsync(() => Button(page, "End now…").Click());
        page.WaitForElement("dialog", Patience);
        clock.FastForward(TimeSpan.FromMinutes(5));
        page.Find("dialog form").Submit();
        page.WaitForAssertion(() => Assert.Contains("Completed", page.Find(".facts").TextContent, StringComparison.Ordinal), Patience);
        Assert.DoesNotContain(page.FindAll("button"), b => b.TextContent.Contains("now", StringComparison.Ordinal));
        await using var db = database.Open();
        var saved = await db.MaintenanceWindows.SingleAsync(w => w.Id == id);
        Assert.Equal(TimeSpan.FromMinutes(150), saved.EndsAt - saved.CreatedAt);
    }

    [Fact]
    public async Task A_cancellation_can_be_taken_back()
    {
        var id = await Scheduled("Called off");
        await using var screen = Screen(Cast.Bob);
        var page = Page(screen, id);
        await page.InvokeAsync(() => Button(page, "Cancel…").Click());
        page.WaitForElement("dialog", Patience);
        page.Find("dialog form").Submit();
        page.WaitForAssertion(() => Assert.Contains("Cancelled", page.Find(".facts").TextContent, StringComparison.Ordinal), Patience);
        await page.InvokeAsync(() => Button(page, "Take the cancellation back").Click());
        page.WaitForAssertion(() => Assert.Contains("Scheduled", page.Find(".facts").TextContent, StringComparison.Ordinal), Patience);
    }

    [Fact]
    public async Task It_begins_on_an_open_screen_by_itself()
    {
        var id = await Scheduled("Watched", 60, 120);
        await using var screen = Screen(Cast.Bob);
        var page = Page(screen, id);
        Assert.Contains("Scheduled", page.Find(".facts").TextContent, StringComparison.Ordinal);
        clock.FastForward(TimeSpan.FromMinutes(60));
        screen.Hint("maintenance");
        page.WaitForAssertion(() => Assert.Contains("In progress", page.Find(".facts").TextContent, StringComparison.Ordinal), Patience);
        page.WaitForAssertion(() => Assert.Contains("It began.", page.Find(".timeline").TextContent, StringComparison.Ordinal), Patience);
    }

    [Fact]
    public async Task Words_to_customers_and_notes_for_the_team_are_written_in_fields_of_their_own()
    {
        var id = await Scheduled("Written to");
        await using var screen = Screen(Cast.Bob);
        var page = Page(screen, id);
        page.Find(".composer textarea").Change("Half of it is done.");
        page.FindAll(".composer input[type=radio]")[1].Change(true);
        page.WaitForAssertion(() => Assert.Equal("", page.Find(".composer textarea").GetAttribute("value") ?? ""), Patience);
        page.Find(".composer textarea").Change("Ask Verity.");
        page.Find(".composer").Submit();
        page.WaitForAssertion(() => Assert.Contains("Ask Verity.", page.Find(".timeline .internal").TextContent, StringComparison.Ordinal), Patience);
        page.FindAll(".composer input[type=radio]")[0].Change(true);
        page.WaitForAssertion(() => Assert.Equal("Half of it is done.", page.Find(".composer textarea").GetAttribute("value")), Patience);
        page.Find(".composer").Submit();
        page.WaitForAssertion(() => Assert.Contains(page.FindAll(".timeline .public"), e => e.TextContent.Contains("Half of it is done.", StringComparison.Ordinal)), Patience);
    }

    [Fact]
    public async Task The_list_shows_what_is_under_way_and_to_come_and_the_overview_too()
    {
        await Scheduled("Shown in lists", 1, 100);
        await using var screen = Screen(Cast.Bob);
        var list = screen.Render<MaintenancesPage>();
        list.WaitForAssertion(() => Assert.Contains(list.FindAll("tbody tr"), r => r.TextContent.Contains("Shown in lists", StringComparison.Ordinal) && r.TextContent.Contains("Scheduled", StringComparison.Ordinal)), Patience);
        clock.FastForward(TimeSpan.FromMinutes(2));
        screen.Hint("maintenance");
        list.WaitForAssertion(() => Assert.Contains(list.FindAll("tbody tr"), r => r.TextContent.Contains("Shown in lists", StringComparison.Ordinal) && r.TextContent.Contains("In progress", StringComparison.Ordinal)), Patience);
        // The overview names the five that begin first.
        clock.SetWall(Now.AddHours(-1));
        await Scheduled("Shown above all", 0, 30);
        var overview = screen.Render<OverviewPage>();
        overview.WaitForAssertion(() => Assert.Contains(overview.FindAll("a[href^='/ops/maintenance/']"), a => a.TextContent == "Shown above all"), Patience);
    }
}
