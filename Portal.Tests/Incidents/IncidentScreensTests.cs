using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Incidents;
using Portal.Tests.Support;

namespace Portal.Tests.Incidents;

public class IncidentScreensTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    readonly FakeClock clock = new();

    StaffScreen Screen(Actor actor) => new(database, clock, actor);

    async Task<Component> AComponent(string name)
    {
        await using var db = database.Open();
        var component = new Component(name, null, null, null, 0, clock.GetUtcNow());
        db.Add(component);
        await db.SaveChangesAsync();
        return component;
    }

    Task<IncidentId> Declared(string title = "Card payments fail") =>
        new DeclareIncident(database.Contexts, clock).Execute(new(title, Severity.P1, "We are investigating.", []), Cast.Bob, default);

    static IRenderedComponent<IncidentPage> Room(StaffScreen screen, IncidentId id)
    {
        var page = screen.Render<IncidentPage>(p => p.Add(x => x.Id, id.ToString()));
        page.WaitForElement(".timeline", Patience);
        return page;
    }

    static string Composer(IRenderedComponent<IncidentPage> page) => page.Find(".composer textarea").GetAttribute("value") ?? "";

    [Fact]
    public async Task An_incident_is_declared_with_its_components_and_leads_into_its_room()
    {
        var orders = await AComponent("Orders");
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<DeclarePage>();
        page.WaitForElement(".picker input", Patience);
        page.Find("#title").Change("Orders are lost");
        page.Find("input[name=severity][value=P0]").Change("P0");
        page.Find(".picker li:contains('Orders') input").Change(true);
        page.Find(".templates button").Click();
        page.Find("form").Submit();
        var navigation = screen.Services.GetRequiredService<NavigationManager>();
        page.WaitForAssertion(() => Assert.Contains("/ops/incidents/", navigation.Uri, StringComparison.Ordinal), Patience);
        await using var db = database.Open();
        var saved = await db.Incidents.Include(i => i.Effects).Include(i => i.Updates).SingleAsync(i => i.Title == "Orders are lost");
        Assert.EndsWith(saved.Id.ToString(), navigation.Uri, StringComparison.Ordinal);
        Assert.Equal((Severity.P0, MessageTemplates.For(Severity.P0)[0].Text), (saved.Severity, saved.Updates[0].Body));
        Assert.Equal((orders.Id, ComponentStatus.MajorOutage), (saved.Effects[0].ComponentId, saved.Effects[0].Status));
    }

    [Fact]
    public async Task What_is_over_is_declared_with_when_it_began_and_ended()
    {
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<DeclarePage>();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".skeleton")), Patience);
        var now = clock.GetUtcNow();
        page.Find("#title").Change("Over already");
        page.Find("#message").Change("It was away for an hour.");
        Assert.Empty(page.FindAll("#ended"));
        page.Find("#status").Change(nameof(IncidentStatus.Resolved));
        string Local(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
        page.Find("#began").Change(Local(now.AddHours(-2)));
        page.WaitForElement("#ended", Patience).Change(Local(now.AddHours(-3)));
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("before it began", page.Find("#ended-error").TextContent, StringComparison.Ordinal), Patience);
        page.Find("#ended").Change(Local(now.AddHours(-1)));
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("/ops/incidents/", screen.Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal), Patience);
        await using var db = database.Open();
        var saved = await db.Incidents.SingleAsync(i => i.Title == "Over already");
        Assert.Equal(TimeSpan.FromHours(1), saved.ResolvedAt - saved.StartedAt);
    }

    [Fact]
    public async Task A_double_click_on_declare_makes_one_incident()
    {
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<DeclarePage>();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".skeleton")), Patience);
        page.Find("#title").Change("Clicked twice");
        page.Find("#message").Change("We are investigating.");
        await Task.WhenAll(page.Find("form").SubmitAsync(), page.Find("form").SubmitAsync());
        await using var db = database.Open();
        Assert.Equal(1, await db.Incidents.CountAsync(i => i.Title == "Clicked twice"));
    }

    [Fact]
    public async Task A_refused_declaration_names_the_field_and_keeps_what_was_typed()
    {
        await using var screen = Screen(Cast.Bob);
        var page = screen.Render<DeclarePage>();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".skeleton")), Patience);
        page.Find("#title").Change(new string('x', 10_000));
        page.Find("#message").Change("We are investigating.");
        page.Find("form").Submit();
        page.WaitForAssertion(() => Assert.Contains("at most 200", page.Find("#title-error").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal("We are investigating.", page.Find("#message").GetAttribute("value"));
        Assert.Equal(("true", "title-hint title-error"), (page.Find("#title").GetAttribute("aria-invalid"), page.Find("#title").GetAttribute("aria-describedby")));
        // Called after a drawing, and bUnit looks at drawings only: asked for, not waited for.
        await Soon.Comes(() => screen.JSInterop.Invocations["portalFocusWrong"].Count == 1, "the cursor in the wrong field");
        page.Find("form").Submit();
        await Soon.Comes(() => screen.JSInterop.Invocations["portalFocusWrong"].Count == 2, "the cursor there again");
        Assert.False(page.Find("button[type=submit]").HasAttribute("disabled"));
    }

    [Fact]
    public async Task What_one_posts_the_other_sees_and_nobody_loses_a_draft()
    {
        var id = await Declared();
        await using var alices = Screen(Cast.Alice);
        await using var bobs = Screen(Cast.Bob);
        var (alice, bob) = (Room(alices, id), Room(bobs, id));
        bob.Find(".composer textarea").Change("Bob is still writing");
        alice.Find(".composer textarea").Change("Alice found the cause.");
        alice.Find(".composer select[aria-label=Status]").Change(nameof(IncidentStatus.Identified));
        alice.Find(".composer").Submit();
        alice.WaitForAssertion(() => Assert.Contains("Alice found the cause.", alice.Find(".timeline").TextContent, StringComparison.Ordinal), Patience);
        alice.WaitForAssertion(() => Assert.Equal("", Composer(alice)), Patience);
        Assert.Empty(alice.FindAll(".timeline .unread"));

        Assert.DoesNotContain("Alice found", bob.Markup, StringComparison.Ordinal);
        bobs.Hint($"incident:{id}");
        bob.WaitForAssertion(() => Assert.Contains("Alice found the cause.", bob.Find(".timeline .unread").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal("Bob is still writing", Composer(bob));
        bob.Find(".composer").Submit();
        bob.WaitForAssertion(() => Assert.Contains("Bob is still writing", bob.Find(".timeline").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal(IncidentStatus.Identified, (await new IncidentRoom(database.Contexts).Load(id, default)).Status);
    }

    [Fact]
    public async Task A_note_for_the_team_has_its_own_word_on_the_button()
    {
        var id = await Declared();
        await using var screen = Screen(Cast.Bob);
        var page = Room(screen, id);
        Assert.Equal("Post update", page.Find(".composer button[type=submit]").TextContent);
        page.FindAll(".composer input[name=visibility]")[1].Change(true);
        page.WaitForAssertion(() => Assert.Equal("Note for the team", page.Find(".composer button[type=submit]").TextContent), Patience);
        page.Find(".composer textarea").Change("Only for us");
        page.Find(".composer").Submit();
        page.WaitForAssertion(() => Assert.Contains("Only for us", page.Find(".timeline li.internal").TextContent, StringComparison.Ordinal), Patience);
    }

    [Fact]
    public async Task What_is_written_to_the_team_never_stands_in_the_field_for_customers()
    {
        var id = await Declared();
        await using var screen = Screen(Cast.Bob);
        var page = Room(screen, id);
        void Speak(int to) => page.FindAll(".composer input[name=visibility]")[to].Change(true);
        page.Find(".composer textarea").Change("For everybody");
        Speak(1);
        page.WaitForAssertion(() => Assert.Equal(("", $"incident:{id}:note"), (Composer(page), page.Find(".composer textarea").GetAttribute("data-draft"))), Patience);
        page.Find(".composer textarea").Change("INTERNAL: their database is wide open");
        Speak(0);
        page.WaitForAssertion(() => Assert.Equal(("For everybody", $"incident:{id}:public"), (Composer(page), page.Find(".composer textarea").GetAttribute("data-draft"))), Patience);
        Speak(1);
        page.Find(".composer").Submit();
        page.WaitForAssertion(() => Assert.Contains("INTERNAL", page.Find(".timeline li.internal").TextContent, StringComparison.Ordinal), Patience);
        page.WaitForAssertion(() => Assert.Equal("", Composer(page)), Patience);
        Assert.Equal($"incident:{id}:note", screen.JSInterop.Invocations["portalForgetDrafts"].Single().Arguments[0]);
        Speak(0);
        Assert.Equal("For everybody", Composer(page));
    }

    [Fact]
    public async Task A_kept_note_brings_the_note_back_after_a_reload_and_not_the_field_for_customers()
    {
        var id = await Declared();
        await using var screen = Screen(Cast.Bob);
        screen.JSInterop.Setup<bool>("portalHasDraft", $"incident:{id}:note").SetResult(true);
        var page = Room(screen, id);
        page.WaitForAssertion(() => Assert.Equal("Note for the team", page.Find(".composer button[type=submit]").TextContent), Patience);
        Assert.True(page.FindAll(".composer input[name=visibility]")[1].HasAttribute("checked"));
        Assert.Equal($"incident:{id}:note", page.Find(".composer textarea").GetAttribute("data-draft"));
    }

    [Fact]
    public async Task A_conflicting_edit_is_refused_and_both_texts_stay_on_the_screen()
    {
        var id = await Declared();
        await using var screen = Screen(Cast.Bob);
        var page = Room(screen, id);
        page.Find(".timeline .entry-head button").Click();
        page.WaitForElement(".timeline textarea", Patience).Change("Bob's text");
        var entry = (await new IncidentRoom(database.Contexts).Load(id, default)).Entries.Single();
        await new EditIncidentUpdate(database.Contexts, clock).Execute(new(id, entry.Id, "Alice's text", 0), Cast.Alice, default);
        page.Find(".timeline form").Submit();
        page.WaitForAssertion(() => Assert.Contains("Alice's text", page.Find(".both").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal("Bob's text", page.Find(".timeline textarea").GetAttribute("value"));
        Assert.Contains("Alice changed this update", page.Find(".timeline .notice").TextContent, StringComparison.Ordinal);

        screen.Hint($"incident:{id}");
        page.WaitForAssertion(() => Assert.NotEmpty(page.FindAll(".earlier")), Patience);
        page.Find(".timeline form").Submit();
        page.WaitForAssertion(() => Assert.Empty(page.FindAll(".timeline form")), Patience);
        var kept = (await new IncidentRoom(database.Contexts).Load(id, default)).Entries.Single();
        Assert.Equal(("Bob's text", 2), (kept.Body, kept.Revision));
    }

    [Fact]
    public async Task Markup_in_texts_is_shown_as_text()
    {
        const string Markup = "<script>alert(1)</script><b onclick=alert(1)>x</b>";
        var id = await new DeclareIncident(database.Contexts, clock).Execute(new(Markup, Severity.P3, Markup, []), Cast.Bob, default);
        await using var screen = Screen(Cast.Bob);
        var page = Room(screen, id);
        Assert.Equal(Markup, page.Find("h1").TextContent);
        Assert.Contains(Markup, page.Find(".timeline").TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("script, h1 b, .timeline b"));
    }

    [Fact]
    public async Task The_heading_of_a_room_stands_from_its_first_rendering_so_that_the_focus_can_be_set_to_it()
    {
        var id = await Declared("Mails are late");
        await using var screen = Screen(Cast.Bob);
        await using var held = await database.Database.Source.OpenConnectionAsync();
        await using var transaction = await held.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand("lock table components", held)) await hold.ExecuteNonQueryAsync();
        var page = screen.Render<IncidentPage>(p => p.Add(x => x.Id, id.ToString()));
        Assert.NotEmpty(page.FindAll(".skeleton"));
        Assert.Equal("Incident", page.Find("h1").TextContent);
        await transaction.RollbackAsync();
        page.WaitForAssertion(() => Assert.Equal("Mails are late", page.Find("h1").TextContent), Patience);
    }

    [Fact]
    public async Task A_filter_that_finds_nothing_offers_all_incidents_first()
    {
        await using var screen = Screen(Cast.Bob);
        screen.Services.GetRequiredService<NavigationManager>().NavigateTo("/ops/incidents?q=nothing-has-this-name");
        var list = screen.Render<IncidentsPage>();
        list.WaitForAssertion(() => Assert.Contains("No incident matches.", list.Find(".empty").TextContent, StringComparison.Ordinal), Patience);
        Assert.Equal(("Show all", "/ops/incidents?show=all"), (list.FindAll(".empty a")[0].TextContent, list.FindAll(".empty a")[0].GetAttribute("href")));
    }

    [Fact]
    public async Task An_address_of_no_incident_says_so()
    {
        await using var screen = Screen(Cast.Bob);
        foreach (var id in new[] { "nonsense", Id.New<IncidentId>(clock.GetUtcNow()).ToString() })
        {
            var page = screen.Render<IncidentPage>(p => p.Add(x => x.Id, id));
            page.WaitForAssertion(() => Assert.Contains("There is no such incident.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal), Patience);
        }
    }

    [Fact]
    public async Task The_overview_and_the_list_show_an_open_incident_and_the_way_into_its_room()
    {
        var id = await Declared("Search is slow");
        await using var screen = Screen(Cast.Bob);
        var overview = screen.Render<OverviewPage>();
        overview.WaitForAssertion(() => Assert.NotNull(overview.Find($"a[href='/ops/incidents/{id}']")), Patience);
        Assert.Contains("open", overview.Find(".situation-line").TextContent, StringComparison.Ordinal);
        var list = screen.Render<IncidentsPage>();
        list.WaitForAssertion(() => Assert.Equal("Search is slow", list.Find($".table a[href='/ops/incidents/{id}']").TextContent), Patience);
    }
}
