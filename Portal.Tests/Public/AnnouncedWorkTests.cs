using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Microsoft.Extensions.FileProviders;
using Portal.Domain.Maintenance;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Public.Feeds;

namespace Portal.Tests.Public;

/// <summary>Maintenance as customers read it, from a model alone.</summary>
public class AnnouncedWorkTests
{
    static readonly DateTimeOffset Now = Models.Now;
    static readonly StatusPageModel Page = Models.Page() with { Incidents = [] };

    static List<PublishedDocument> Render(StatusPageModel model, DateTimeOffset? asOf = null)
    {
        using var rendering = new PageRendering();
        var (assets, context) = (new PublicAssets(new NullFileProvider()), Models.At(asOf ?? Now));
        return [.. new IPublication[] { new FrontPages(rendering, assets), new ArchivePages(rendering, assets) }.SelectMany(p => p.Render(model.At(context.AsOf), context))];
    }

    static IDocument Parse(IEnumerable<PublishedDocument> documents, string path) => new HtmlParser().ParseDocument(Encoding.UTF8.GetString(documents.Single(d => d.Path == path).Body));

    static string Words(IParentNode part) => string.Join(' ', ((INode)part).TextContent.Split((char[])[], StringSplitOptions.RemoveEmptyEntries));

    static StatusPageModel With(params MaintenanceView[] windows) => Page with { Maintenances = windows };

    [Fact]
    public void The_front_page_shows_what_is_under_way_in_full_and_what_comes_next_first()
    {
        var payments = Page.Components[0];
        var active = Models.Maintenance("Disk swap", Now.AddMinutes(-10), Now.AddMinutes(50), null, payments);
        var documents = Render(With(
            [.. Enumerable.Range(1, 7).Reverse().Select(day => Models.Maintenance($"Upgrade {day}", Now.AddDays(day), Now.AddDays(day).AddHours(2))), active, Models.Maintenance("Over", Now.AddHours(-3), Now.AddHours(-2))]));
        var part = Parse(documents, "/en/").QuerySelector("[data-fragment=maintenance]")!;
        Assert.Equal(["Disk swap", "Upgrade 1", "Upgrade 2", "Upgrade 3", "Upgrade 4", "Upgrade 5"], part.QuerySelectorAll("article a[href^='/maintenance/']").Select(a => a.TextContent));
        Assert.Contains("In progress", Words(part.QuerySelector("article")!), StringComparison.Ordinal);
        // An end on the same day needs no date.
        Assert.Contains("2 Mar 2026, 09:50 CET – 10:50 CET (1 h)", Words(part.QuerySelector("article")!), StringComparison.Ordinal);
        Assert.Contains("Saving may fail", Words(part.QuerySelector("article")!), StringComparison.Ordinal);
        Assert.Equal("2 more", part.QuerySelector(".more a")!.TextContent);
        var history = Parse(documents, "/history");
        Assert.Equal(7, history.QuerySelectorAll("h2")[0].ParentElement!.QuerySelectorAll(".past-incident a").Count(a => a.TextContent.StartsWith("Upgrade", StringComparison.Ordinal)));
        Assert.Contains("Over", Words(history.Body!), StringComparison.Ordinal);
        Assert.Equal("", Words(Parse(Render(With()), "/en/").QuerySelector("[data-fragment=maintenance]")!));
        Assert.Contains("Geplante Wartung", Words(Parse(documents, "/de/").Body!), StringComparison.Ordinal);
    }

    [Fact]
    public void An_active_window_alone_makes_the_banner_one_of_maintenance_and_a_worse_component_beats_it()
    {
        var model = Page;
        string Banner(StatusPageModel shown) => Words(Parse(Render(shown), "/en/").QuerySelector("h1")!);
        var (bad, good) = (model.Components[0], model.Components[1]);
        Assert.Equal("Service under maintenance", Banner(With(Models.Maintenance("A", Now.AddMinutes(-1), Now.AddHours(1), null, bad))));
        Assert.NotEqual("Service under maintenance", Banner(With(Models.Maintenance("A", Now.AddMinutes(-1), Now.AddHours(1), null, good))));
        var since = Parse(Render(With(Models.Maintenance("A", Now.AddMinutes(-7), Now.AddHours(1), null, bad))), "/en/").QuerySelector(".banner time")!;
        Assert.Equal("2026-03-02T08:53:00Z", since.GetAttribute("datetime"));
    }

    [Fact]
    public void Its_own_page_tells_how_it_went_on_in_each_language_and_stays_when_it_is_over_or_cancelled()
    {
        var payments = Page.Components[0];
        var window = Models.Maintenance("Disk swap", Now.AddMinutes(-60), Now.AddMinutes(60), Now.AddMinutes(30), payments) with
        {
            Updates = [new MaintenanceUpdateView(new(Guid.NewGuid()), MaintenanceStatus.InProgress, "Half of it is done.", Now.AddMinutes(-5))],
        };
        List<string> Entries(DateTimeOffset at, string prefix = "", MaintenanceView? other = null) =>
            [.. Parse(Render(With(other ?? window), at), $"{prefix}/maintenance/{window.Id}").QuerySelectorAll(".update").Select(Words)];
        Assert.Equal(3, Entries(Now).Count);
        Assert.Contains("Half of it is done.", Entries(Now)[0], StringComparison.Ordinal);
        Assert.Contains("Die angekündigten Arbeiten haben begonnen.", Entries(Now, "/de")[1], StringComparison.Ordinal);
        var over = Entries(Now.AddHours(2));
        Assert.Equal(["Completed", "Verifying", "In progress", "In progress", "Scheduled"], over.Select(e => string.Concat(e.TakeWhile(c => !char.IsDigit(c))).Trim()));
        var cancelled = window with { Times = window.Times with { CancelledAt = Now.AddHours(-2) }, Updates = [] };
        Assert.Contains("will not take place", Entries(Now, other: cancelled)[0], StringComparison.Ordinal);
        Assert.Equal("", Words(Parse(Render(With(cancelled)), "/en/").QuerySelector("[data-fragment=maintenance]")!));
    }

    [Fact]
    public void A_day_shows_the_announced_time_as_evidence_and_in_the_table()
    {
        var payments = Page.Components[0];
        var window = Models.Maintenance("Disk swap", Now.AddHours(-3), Now.AddHours(-1), null, payments);
        var page = Parse(Render(With(window)), "/components/payments");
        var day = page.QuerySelector("#d-2026-03-02")!;
        Assert.NotNull(day.QuerySelector($"a[href='/maintenance/{window.Id}']"));
        Assert.Contains("− 120) min", Words(day.QuerySelector(".formula")!), StringComparison.Ordinal);
        var cells = page.QuerySelector("tbody tr")!.Children.Select(c => c.TextContent).ToList();
        Assert.Equal("120", cells[page.QuerySelectorAll("thead th").Select(h => h.TextContent).ToList().IndexOf("Maintenance (min)")]);
    }

    [Fact]
    public void Markup_in_its_texts_is_shown_and_does_nothing()
    {
        const string nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
        var payments = Page.Components[0];
        foreach (var from in new[] { -10, 10 })
        {
            var window = Models.Maintenance(nasty, Now.AddMinutes(from), Now.AddMinutes(60), null, payments with { Name = nasty }) with { Message = nasty };
            var documents = Render(With(window));
            // What lies ahead is no evidence of a day yet.
            foreach (var path in new[] { "/en/", "/history", $"/maintenance/{window.Id}", "/components/payments" }.Take(from < 0 ? 4 : 3))
            {
                var page = Parse(documents, path);
                Assert.Contains("<script>alert(1)", page.Body!.TextContent + page.Title, StringComparison.Ordinal);
                Assert.Empty(page.QuerySelectorAll("img, script:not([src])"));
            }
        }
    }

    [Fact]
    public void The_page_knows_the_next_edge_beforehand_and_speaks_of_the_last_one()
    {
        var berlin = Models.Settings.Zone;
        var model = With(Models.Maintenance("A", Now.AddSeconds(20), Now.AddSeconds(50), Now.AddSeconds(40)));
        foreach (var (after, next) in new[] { (3, 20), (20, 40), (40, 50), (50, 60) }) Assert.Equal(Now.AddSeconds(next), PageClock.Next(model, berlin, null, Now.AddSeconds(after)));
        Assert.Equal(Now.AddSeconds(40), PageClock.AsOf(model, Now.AddSeconds(45), null));
        Assert.Equal(Now, PageClock.AsOf(model, Now.AddSeconds(19), null));
    }

    [Fact]
    public void The_same_instant_asked_twice_gives_the_same_model_and_the_kept_one_is_never_changed()
    {
        var payments = Page.Components[0];
        var model = With(Models.Maintenance("A", Now.AddMinutes(-10), Now.AddMinutes(10), null, payments));
        var during = model.At(Now);
        Assert.Equal((ComponentStatus.UnderMaintenance, Now.AddMinutes(-10)), (during.Components[0].Status, during.Components[0].Since));
        Assert.Equal(ComponentStatus.PartialOutage, model.Components[0].Status);
        var after = model.At(Now.AddMinutes(10));
        Assert.Equal((ComponentStatus.PartialOutage, Now.AddMinutes(10)), (after.Components[0].Status, after.Components[0].Since));
        var kept = System.Text.Json.JsonSerializer.Deserialize<StatusPageModel>(System.Text.Json.JsonSerializer.Serialize(model))!;
        Assert.Equal(ComponentStatus.UnderMaintenance, kept.At(Now).Components[0].Status);
    }
}

/// <summary>The calendar, read as RFC 5545 says.</summary>
public class MaintenanceCalendarTests
{
    static List<string> Lines(params MaintenanceView[] windows)
    {
        var document = Assert.Single(new CalendarPublication().Render(Models.Page() with { Maintenances = windows }, Models.At(Models.Now)));
        Assert.Equal(("/maintenance.ics", "text/calendar; charset=utf-8"), (document.Path, document.ContentType));
        var text = Encoding.UTF8.GetString(document.Body);
        Assert.EndsWith("END:VCALENDAR\r\n", text, StringComparison.Ordinal);
        var raw = text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(raw, line => Assert.True(Encoding.UTF8.GetByteCount(line) <= 75, line));
        Assert.DoesNotContain(raw, l => l.Contains('\n', StringComparison.Ordinal) || l.Contains('\ufffd', StringComparison.Ordinal));
        return [.. text.Replace("\r\n ", "", StringComparison.Ordinal).Split("\r\n", StringSplitOptions.RemoveEmptyEntries)];
    }

    static MaintenanceView Window(string title = "Disk swap") => Models.Maintenance(title, Models.Now.AddDays(1), Models.Now.AddDays(1).AddHours(2), null, Models.Page().Components[0]);

    [Fact]
    public void A_window_is_an_event_in_utc_that_keeps_its_uid()
    {
        var window = Window();
        var lines = Lines(window);
        foreach (var line in new[] { "VERSION:2.0", $"UID:{window.Id}@maintenance", "DTSTART:20260303T090000Z", "DTEND:20260303T110000Z", "SEQUENCE:0", "STATUS:CONFIRMED", "SUMMARY:Disk swap", $"URL:https://status.example/maintenance/{window.Id}" })
            Assert.Contains(line, lines);
        var moved = Lines(window with { Sequence = 3, Times = window.Times with { StartsAt = window.Times.StartsAt.AddHours(1) } });
        Assert.Contains($"UID:{window.Id}@maintenance", moved);
        Assert.Contains("SEQUENCE:3", moved);
        Assert.Contains("DTSTART:20260303T100000Z", moved);
    }

    [Fact]
    public void One_that_was_cancelled_says_so_and_one_that_ended_early_gives_its_time_back()
    {
        var window = Window();
        Assert.Contains("STATUS:CANCELLED", Lines(window with { Times = window.Times with { CancelledAt = Models.Now } }));
        Assert.Contains("DTEND:20260303T093000Z", Lines(window with { Times = window.Times with { CompletedAt = window.Times.StartsAt.AddMinutes(30) } }));
    }

    [Fact]
    public void Texts_are_escaped_and_long_lines_folded_between_characters()
    {
        var lines = Lines(Window("Commas, semicolons; back\\slashes") with { Message = "First\nsecond " + string.Concat(Enumerable.Repeat("Größe 🚨 日本語 ", 40)) });
        Assert.Contains("SUMMARY:Commas\\, semicolons\\; back\\\\slashes", lines);
        Assert.Contains(lines, l => l.StartsWith("DESCRIPTION:First\\nsecond Größe 🚨 日本語 Größe", StringComparison.Ordinal));
        // A line that a person typed cannot begin a property of its own.
        Assert.Single(Lines(Window("x\nATTACH:evil")), l => l.StartsWith("SUMMARY:", StringComparison.Ordinal) && l.Contains("\\nATTACH", StringComparison.Ordinal));
    }
}
