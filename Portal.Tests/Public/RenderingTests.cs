using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Microsoft.Extensions.FileProviders;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;

namespace Portal.Tests.Public;

public class RenderingTests
{
    const string Nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{x}} &amp; </title></section>";

    static List<PublishedDocument> Render(StatusPageModel model, RenderContext? context = null)
    {
        using var rendering = new PageRendering();
        var assets = new PublicAssets(new NullFileProvider());
        return [.. new IPublication[] { new FrontPages(rendering, assets), new ArchivePages(rendering, assets) }.SelectMany(p => p.Render(model, context ?? Models.At(Models.Now)))];
    }

    static string Text(IEnumerable<PublishedDocument> documents, string path) => Encoding.UTF8.GetString(documents.Single(d => d.Path == path).Body);

    static IDocument Parse(byte[] body) => new HtmlParser().ParseDocument(Encoding.UTF8.GetString(body));

    [Fact]
    public void The_past_days_begin_where_the_page_does_and_an_empty_page_claims_nothing_of_them()
    {
        IElement Past(StatusPageModel model) => Parse(Render(model).Single(d => d.Path == "/en/").Body).QuerySelector("[data-fragment=past]")!;
        var full = Models.Page() with { Incidents = [] };
        Assert.Contains("17 Feb – 2 Mar", Past(full).TextContent, StringComparison.Ordinal);
        Assert.NotNull(Past(full).QuerySelector("a[href='/history']"));
        var young = Past(full with { Beginning = Models.Now.AddDays(-2) });
        Assert.Contains("28 Feb – 2 Mar", young.TextContent, StringComparison.Ordinal);
        Assert.Null(young.QuerySelector("a"));
        Assert.Equal("", Past(full with { Components = [] }).TextContent.Trim());
    }

    [Fact]
    public void The_uptime_says_of_how_many_days_it_is_where_fewer_are_shown()
    {
        var documents = Render(Models.Page());
        foreach (var path in (string[])["/en/", "/components/" + Models.Page().Components[0].Slug])
            Assert.Matches(@"\d% uptime in 90 days$", Parse(documents.Single(d => d.Path == path).Body).QuerySelector(".scale")!.Children[2].TextContent);
    }

    [Fact]
    public void Markup_and_script_in_every_text_is_shown_and_does_nothing()
    {
        var model = Models.Page(text: Nasty);
        model = model with
        {
            Components = [.. model.Components.Select(c => c with { Name = Nasty, Description = Nasty, Spans = [.. c.Spans.Select(s => s with { Note = Nasty })] })],
            Incidents = [.. model.Incidents.Select(i => i with { Title = Nasty, Components = [.. i.Components.Select(a => a with { Name = Nasty })] })],
            ResponseTimes = [new ResponseTimeSeries(new(Guid.Empty), Nasty, null, Models.Now.AddHours(-24), TimeSpan.FromMinutes(10), [.. Enumerable.Repeat<double?>(80, 144)])],
        };
        var documents = Render(model, new RenderContext(Models.Now, Models.Settings with { Title = Nasty }, true));
        Assert.Contains(documents, d => Encoding.UTF8.GetString(d.Body).Contains("alert(1)", StringComparison.Ordinal));
        foreach (var document in documents.Where(d => d.ContentType.StartsWith("text/html", StringComparison.Ordinal)))
        {
            var page = Parse(document.Body);
            Assert.Equal("/assets/public.js", Assert.Single(page.QuerySelectorAll("script")).GetAttribute("src"));
            Assert.Empty(page.QuerySelectorAll("img, style, iframe, [style]"));
            Assert.DoesNotContain(page.All.SelectMany(e => e.Attributes), a => a.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase));
            Assert.DoesNotContain(page.QuerySelectorAll("a"), a => a.GetAttribute("href")!.StartsWith("javascript", StringComparison.OrdinalIgnoreCase));
        }
        foreach (var live in documents.OfType<LivePage>())
            foreach (var fragment in live.Fragments.Where(f => f.Key is not ("title" or "icon" or "state")))
                Assert.Empty(new HtmlParser().ParseDocument(fragment.Value.Html).QuerySelectorAll("script, img"));
    }

    [Fact]
    public void Open_pages_are_sent_what_changed_and_of_groups_only_those_that_did()
    {
        GroupView Group(string name) => new(Id.New<ComponentGroupId>(Models.Now), name, 0, Models.Now, Models.Now);
        var (shop, office) = (Group("Shop"), Group("Office"));
        var before = Models.Page() with
        {
            Groups = [shop, office],
            Components = [Models.Component("Basket", ComponentStatus.Operational) with { Group = shop.Id }, Models.Component("Mail", ComponentStatus.Operational) with { Group = office.Id }],
            ResponseTimes = [new ResponseTimeSeries(new(Guid.Empty), "Front", null, Models.Now.AddHours(-24), TimeSpan.FromMinutes(10), [.. Enumerable.Repeat<double?>(80, 144)])],
        };
        LivePage English(StatusPageModel model, int seconds = 0) => Render(model, Models.At(Models.Now.AddSeconds(seconds))).OfType<LivePage>().First(p => p.Language == "en");
        IEnumerable<string> Sent(StatusPageModel after) => English(after, 20).ChangedSince(English(before)).Keys.Order();

        Assert.Empty(Sent(before));
        Assert.Equal(["in-" + shop.Id], Sent(before with { Components = [before.Components[0] with { Description = "Changed" }, before.Components[1]] }));
        Assert.Equal(["components"], Sent(before with { Groups = [office, shop] }));
        Assert.Equal(["components"], Sent(before with { Components = [.. before.Components, Models.Component("New", ComponentStatus.Operational)] }));
        Assert.Equal(["response-0", "response-hours"], Sent(before with { ResponseTimes = [before.ResponseTimes[0] with { Milliseconds = [.. Enumerable.Repeat<double?>(90, 144)] }] }));
        Assert.Contains("in-" + shop.Id, English(before).Fragments["components"].Html, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_nodes_render_the_same_bytes()
    {
        var model = Models.Page(nextUpdateBy: Models.Now.AddMinutes(10));
        var (one, two) = (Render(model), Render(model with { ReadAt = model.ReadAt.AddSeconds(7) }));
        Assert.True(one.Count > 8);
        foreach (var (a, b) in one.Zip(two))
        {
            Assert.Equal(a.Path, b.Path);
            Assert.Equal(new PublishedBytes(a).Brotli.ETag, new PublishedBytes(b).Brotli.ETag);
        }
        var changed = Render(Models.Page(text: "Something else."));
        Assert.NotEqual(new PublishedBytes(one[0]).Plain.ETag, new PublishedBytes(changed[0]).Plain.ETag);
    }

    [Fact]
    public void A_promise_turns_overdue_by_itself()
    {
        var model = Models.Page(nextUpdateBy: Models.Now.AddMinutes(10));
        var kept = Text(Render(model, Models.At(Models.Now.AddMinutes(9))), "/en/");
        Assert.Contains("Next update by", kept);
        Assert.Contains("10:10 CET", kept);
        Assert.DoesNotContain("overdue.", kept);
        var broken = Text(Render(model, Models.At(Models.Now.AddMinutes(10))), "/en/");
        Assert.Contains("It is overdue.", broken);
        Assert.DoesNotContain("Next update by", broken);
    }

    [Theory]
    [InlineData(1, "more than 1 minute old")]
    [InlineData(5, "more than 5 minutes old")]
    [InlineData(16, "more than 15 minutes old")]
    [InlineData(600, "more than 1 hour old")]
    public void An_old_page_says_how_old_it_is(int minutes, string words)
    {
        Assert.DoesNotContain("minute old", Text(Render(Models.Page()), "/en/"));
        Assert.Contains(words, Text(Render(Models.Page(), Models.At(Models.Now.AddMinutes(minutes), stale: true)), "/en/"));
    }

    [Fact]
    public void While_nobody_looks_a_watched_component_is_without_data_and_not_up()
    {
        var model = Models.Page();
        var page = new PageContext(model, Models.At(Models.Now.AddDays(2), stale: true), PageLanguage.English, new PublicAssets(new NullFileProvider()));
        var search = model.Components.Single(c => c.Name == "Search");
        Assert.Equal("unknown", page.Days(search)[^2].Css());
        Assert.Null(page.Days(search)[^2].Uptime);
        Assert.Equal("operational", page.Days(search)[^4].Css());
    }

    [Fact]
    public void Every_page_is_there_in_both_languages_with_its_permanent_address()
    {
        var payments = Models.Component("Payments", ComponentStatus.Operational);
        var past = Models.Incident("Long over", payments, "It is over.", startedAt: Models.Now.AddDays(-20), resolvedAt: Models.Now.AddDays(-19));
        var documents = Render(Models.Page(incidents: past));
        foreach (var path in new[] { "/history", "/history/2026-03", "/history/2026-02", $"/incidents/{past.Id}", "/components/payments" })
        {
            Assert.Contains("lang=\"en\"", Text(documents, path));
            Assert.Contains("lang=\"de\"", Text(documents, "/de" + path));
        }
        var page = Parse(documents.Single(d => d.Path == $"/de/incidents/{past.Id}").Body);
        Assert.Equal($"https://status.example/de/incidents/{past.Id}", page.QuerySelector("link[rel=canonical]")!.GetAttribute("href"));
        Assert.Equal(["en", "de", "x-default"], page.QuerySelectorAll("link[hreflang]").Select(l => l.GetAttribute("hreflang")));
        Assert.Equal(documents.Count, documents.Select(d => d.Path).Distinct().Count());
    }

    [Fact]
    public void The_worst_incident_stands_first_and_of_equal_ones_the_newest()
    {
        var payments = Models.Component("Payments", ComponentStatus.Operational);
        IncidentView Of(string title, Indicator impact, int minutes) => Models.Incident(title, payments, "A word.", startedAt: Models.Now.AddMinutes(-minutes)) with { Impact = impact };
        var model = Models.Page() with { Incidents = [Of("Minor new", Indicator.Minor, 1), Of("Major new", Indicator.Major, 5), Of("Major old", Indicator.Major, 9), Of("Critical oldest", Indicator.Critical, 30)] };
        var page = Parse(Render(model).Single(d => d.Path == "/en/").Body);
        Assert.Equal(["Critical oldest", "Major new", "Major old", "Minor new"], page.QuerySelectorAll("article.incident h2").Select(h => h.TextContent));
    }

    [Fact]
    public void A_chart_begins_with_three_points_and_a_point_alone_is_a_dot()
    {
        StatusPageModel With(params double?[] points) => Models.Page() with { ResponseTimes = [new ResponseTimeSeries(new(Guid.Empty), "Front", null, Models.Now.AddHours(-24), TimeSpan.FromMinutes(10), [.. points, .. new double?[144 - points.Length]])] };
        Assert.DoesNotContain("Response times", Text(Render(With(80, 90)), "/en/"));
        var page = Parse(Render(With(100, null, 50, 100)).Single(d => d.Path == "/en/").Body);
        Assert.Equal(["M2 20l1-19", "M0 1h0"], page.QuerySelectorAll(".series path").Select(p => p.GetAttribute("d")!));
    }

    [Fact]
    public void Nobody_is_told_that_all_is_well_while_nobody_knows()
    {
        (string? Sentence, string Badges) Shown(params ComponentView[] components)
        {
            var page = Parse(Render(Models.Page() with { Components = components, Incidents = [] }).Single(d => d.Path == "/en/").Body);
            return (page.QuerySelector("h1")!.TextContent, string.Join(' ', page.QuerySelectorAll(".component .badge").Select(b => b.TextContent)));
        }
        var known = Models.Component("Search", ComponentStatus.Operational);
        var unknown = Models.Component("Mail", ComponentStatus.Operational) with { IsUnknown = true };
        Assert.Equal(("All systems operational", "Operational"), Shown(known));
        Assert.Equal(("No current data", "No data"), Shown(unknown));
        Assert.Equal(("No known problems; some parts without data", "Operational No data"), Shown(known, unknown));
        Assert.Equal(("Nothing is shown here yet", ""), Shown());
        Assert.Equal("Minor service outage", Shown(unknown, Models.Component("Shop", ComponentStatus.PartialOutage)).Sentence);
    }

    [Fact]
    public void A_day_hardly_observed_is_no_solid_one_and_the_legend_says_so()
    {
        var search = Models.Component("Search", ComponentStatus.Operational);
        Assert.DoesNotContain("Low bar", Text(Render(Models.Page() with { Components = [search] }), "/en/"));
        var begun = search with { ObservedFrom = Models.Now.AddMinutes(-10) };
        var page = Parse(Render(Models.Page() with { Components = [begun] }).Single(d => d.Path == "/en/").Body);
        Assert.Equal(["unknown", "sparse"], page.QuerySelectorAll(".strip path").Select(p => p.ClassName));
        Assert.Contains("Low bar", page.QuerySelector(".legend")!.TextContent);
    }

    [Fact]
    public void The_history_ends_with_the_month_in_which_it_began()
    {
        string? Earlier(DateTimeOffset beginning) => Parse(Render(Models.Page() with { Beginning = beginning }).Single(d => d.Path == "/history").Body).QuerySelector("a[rel=prev]")?.GetAttribute("href");
        Assert.Equal("/history/2025-12", Earlier(new(2025, 12, 31, 12, 0, 0, TimeSpan.Zero)));
        // Midnight in Berlin has passed: January.
        Assert.Null(Earlier(new(2025, 12, 31, 23, 30, 0, TimeSpan.Zero)));
        var young = Parse(Render(Models.Page() with { Beginning = Models.Now }).Single(d => d.Path == "/history").Body);
        Assert.Equal(["March 2026"], young.QuerySelectorAll("[data-fragment=history] h2").Select(h => h.TextContent));
    }

    [Fact]
    public void Days_without_incident_are_one_line()
    {
        var payments = Models.Component("Payments", ComponentStatus.Operational);
        var documents = Render(Models.Page(incidents: Models.Incident("Long over", payments, "Over.", startedAt: Models.Now.AddDays(-5), resolvedAt: Models.Now.AddDays(-5).AddHours(1))));
        var page = Parse(documents.Single(d => d.Path == "/en/").Body);
        Assert.Equal(["26 Feb – 1 Mar", "17 Feb – 24 Feb"], page.QuerySelectorAll(".quiet-days .day").Select(d => d.TextContent));
    }

    [Fact]
    public void Each_day_shows_the_formula_with_its_numbers_and_the_edges_in_doubt()
    {
        var page = Parse(Render(Models.Page()).Single(d => d.Path == "/components/payments").Body);
        var today = page.QuerySelector("#d-2026-03-02")!;
        Assert.Contains("1 − (0 + 0.3 × 30) ÷ (600 − 0) min = 98.5%", today.TextContent);
        Assert.Contains("may have begun up to 30 s earlier", today.TextContent);
        Assert.Equal(90, page.QuerySelectorAll("details.evidence").Length);
        Assert.Equal(90, page.QuerySelectorAll("#table tbody tr").Length);
    }

    [Theory]
    [InlineData(1.0, "100%")]
    [InlineData(0.99999, "99.99%")]
    [InlineData(0.9985, "99.85%")]
    [InlineData(0.0, "0%")]
    public void Less_than_all_is_never_called_100(double ratio, string text) => Assert.Equal(text, PageLanguage.English.Percent(ratio));

    [Theory]
    [InlineData("", "en")]
    [InlineData("de", "de")]
    [InlineData("de-AT,en;q=0.8", "de")]
    [InlineData("en-US,en;q=0.9,de;q=0.8", "en")]
    [InlineData("fr,de;q=0.5", "de")]
    [InlineData("fr, *;q=0.1", "en")]
    [InlineData("de;q=0", "en")]
    [InlineData("den", "en")]
    public void The_browsers_wish_chooses_the_language(string header, string code) => Assert.Equal(code, PageLanguage.Preferred(header).Code);

    [Theory]
    [InlineData("gzip, deflate, br", Coding.Brotli)]
    [InlineData("gzip", Coding.Gzip)]
    [InlineData("br;q=0, gzip", Coding.Gzip)]
    [InlineData("gzip;q=0.000, br;q=0", Coding.Identity)]
    [InlineData("GZIP;q=0.5", Coding.Gzip)]
    [InlineData("deflate", Coding.Identity)]
    public void The_smallest_coding_that_is_taken_is_sent(string header, Coding coding) => Assert.Equal(coding, ContentCoding.Choose(header));

    [Fact]
    public void Zones_are_called_by_their_letters()
    {
        Assert.Equal("CET", ZoneName.At(Models.Settings.Zone, Models.Now));
        Assert.Equal("CEST", ZoneName.At(Models.Settings.Zone, Models.Now.AddMonths(4)));
        Assert.Equal("UTC", ZoneName.At(TimeZoneInfo.Utc, Models.Now));
        Assert.Equal("UTC−3", ZoneName.At(TimeZoneInfo.FindSystemTimeZoneById("America/Sao_Paulo"), Models.Now));
    }
}
