using System.Globalization;
using System.Xml.Linq;
using Portal.Domain.Incidents;
using Portal.Domain.StatusPages;
using Portal.Public;
using Portal.Public.Feeds;

namespace Portal.Tests.Feeds;

public class FeedTests
{
    static readonly FeedPublication Publication = new();
    static readonly XNamespace Atom = "http://www.w3.org/2005/Atom";

    static XElement Read(string path, StatusPageModel model) => XDocument.Load(new MemoryStream(Publication.Document(path, model).Body)).Root!;

    [Theory]
    [InlineData("/history.rss", "", "en", "Investigating: Card payments fail")]
    [InlineData("/de/history.rss", "/de", "de", "Wird untersucht: Card payments fail")]
    public void Rss_names_each_incident_with_absolute_links_and_a_stable_guid(string path, string prefix, string language, string title)
    {
        var incident = PageModels.Incident("Card payments fail", impact: Indicator.Major);
        var channel = Read(path, PageModels.Of([], [incident])).Element("channel")!;
        Assert.Equal($"https://status.example.com{prefix}/", channel.Element("link")!.Value);
        Assert.Equal(language, channel.Element("language")!.Value);
        Assert.Equal($"https://status.example.com{path}", channel.Element(Atom + "link")!.Attribute("href")!.Value);
        var item = Assert.Single(channel.Elements("item"));
        Assert.Equal(title, item.Element("title")!.Value);
        Assert.Equal($"https://status.example.com{prefix}/incidents/{incident.Id}", item.Element("link")!.Value);
        Assert.Equal($"urn:uuid:{incident.Id.Value:D}", item.Element("guid")!.Value);
        Assert.Equal("false", item.Element("guid")!.Attribute("isPermaLink")!.Value);
        Assert.Equal(PageModels.Now.ToUnixTimeSeconds(), DateTimeOffset.Parse(item.Element("pubDate")!.Value, CultureInfo.InvariantCulture).ToUnixTimeSeconds());
    }

    [Fact]
    public void Atom_has_every_element_that_the_standard_demands()
    {
        var model = PageModels.Rich();
        var feed = Read("/history.atom", model);
        Assert.Equal(Atom + "feed", feed.Name);
        foreach (var name in new[] { "id", "title", "updated" }) Assert.NotEqual("", feed.Element(Atom + name)!.Value);
        Assert.NotEqual("", feed.Element(Atom + "author")!.Element(Atom + "name")!.Value);
        Assert.Contains(feed.Elements(Atom + "link"), l => l.Attribute("rel")!.Value == "self");
        var entries = feed.Elements(Atom + "entry").ToList();
        Assert.Equal(model.Incidents.Count + model.Maintenances.Count, entries.Count);
        foreach (var entry in entries)
        {
            foreach (var name in new[] { "id", "title", "updated", "published", "content" }) Assert.NotEqual("", entry.Element(Atom + name)!.Value);
            Assert.Matches("^https://status.example.com/(incidents|maintenance)/[0-9a-f]{32}$", entry.Element(Atom + "link")!.Attribute("href")!.Value);
        }
        Assert.Equal(entries.Count, entries.Select(e => e.Element(Atom + "id")!.Value).Distinct().Count());
    }

    [Fact]
    public void An_edited_update_keeps_the_id_shows_the_new_text_and_moves_the_entrys_time()
    {
        var incident = PageModels.Incident("T", updates: [PageModels.Update("First words.")]) with { UpdatedAt = PageModels.Now.AddMinutes(-40) };
        var edited = incident with { Updates = [incident.Updates[0] with { Body = "Better words.", EditedAt = PageModels.Now, UpdatedAt = PageModels.Now }] };
        var (before, after) = (Entry(incident), Entry(edited));
        Assert.Equal(before.Element(Atom + "id")!.Value, after.Element(Atom + "id")!.Value);
        Assert.True(string.CompareOrdinal(before.Element(Atom + "updated")!.Value, after.Element(Atom + "updated")!.Value) < 0);
        Assert.Contains("Better words.", after.Element(Atom + "content")!.Value, StringComparison.Ordinal);
        Assert.Contains("(edited 2 Mar 2026, 10:00 CET)", after.Element(Atom + "content")!.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("First words.", after.Element(Atom + "content")!.Value, StringComparison.Ordinal);

        static XElement Entry(IncidentView incident) => Read("/history.atom", PageModels.Of([], [incident])).Element(Atom + "entry")!;
    }

    [Fact]
    public void Html_and_characters_that_xml_cannot_hold_do_not_break_a_feed()
    {
        var nasty = "<script>alert(1)</script> & ]]> \uffff \ufffe 🚨\nsecond line";
        foreach (var path in new[] { "/history.rss", "/history.atom" })
        {
            var text = Read(path, PageModels.Of([PageModels.Component("X")], [PageModels.Incident("<b>Title</b>", updates: [PageModels.Update(nasty)])])).Value;
            Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; ]]&gt; \ufffd \ufffd", text, StringComparison.Ordinal);
            Assert.Contains("<br>second line", text, StringComparison.Ordinal);
            Assert.Contains("<b>Title</b>", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Maintenance_stands_in_the_feed_with_its_times_and_how_it_goes_on()
    {
        var window = PageModels.Maintenance("Upgrade", -10, 50, PageModels.Component("Payments"));
        var entry = Read("/de/history.atom", PageModels.Of([]) with { Maintenances = [window] }).Element(Atom + "entry")!;
        Assert.Equal(("Läuft: Upgrade", $"urn:uuid:{window.Id.Value:D}"), (entry.Element(Atom + "title")!.Value, entry.Element(Atom + "id")!.Value));
        Assert.Contains("2. März 2026, 09:50 CET bis 2. März 2026, 10:50 CET", System.Net.WebUtility.HtmlDecode(entry.Element(Atom + "content")!.Value), StringComparison.Ordinal);
        Assert.Contains("Die angekündigten Arbeiten haben begonnen.", System.Net.WebUtility.HtmlDecode(entry.Element(Atom + "content")!.Value), StringComparison.Ordinal);
        // It is news when it begins, although nobody wrote anything.
        Assert.Equal(window.Times.StartsAt.ToUnixTimeSeconds(), DateTimeOffset.Parse(entry.Element(Atom + "updated")!.Value, CultureInfo.InvariantCulture).ToUnixTimeSeconds());
    }

    [Fact]
    public void A_feed_without_incidents_is_still_valid()
    {
        Assert.Empty(Read("/history.rss", PageModels.Of([])).Element("channel")!.Elements("item"));
        Assert.NotEqual("", Read("/history.atom", PageModels.Of([])).Element(Atom + "updated")!.Value);
    }

    [Fact]
    public void Every_status_and_impact_has_its_words_in_both_languages()
    {
        foreach (var status in Enum.GetValues<IncidentStatus>())
            foreach (var impact in Enum.GetValues<Indicator>())
                foreach (var component in Enum.GetValues<ComponentStatus>())
                    Assert.Equal(4, Publication.Render(PageModels.Of([], [PageModels.Incident("T", status, impact, PageModels.Component("C", component)) with { NextUpdateBy = PageModels.Now }]), PageModels.Context).Count());
        Assert.NotEqual(Read("/history.rss", PageModels.Rich()).Value, Read("/de/history.rss", PageModels.Rich()).Value);
    }
}

public class BadgeTests
{
    static readonly BadgePublication Publication = new();
    static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_whole_and_every_component_have_a_badge_with_a_name_for_screen_readers()
    {
        var badges = Publication.Render(PageModels.Rich(), PageModels.Context).ToDictionary(d => d.Path, d => XDocument.Load(new MemoryStream(d.Body)).Root!);
        Assert.Equal(["/badge/cart.svg", "/badge/overall.svg", "/badge/payments.svg", "/badge/search.svg"], badges.Keys.Order());
        Assert.Equal("Payments: partial outage", badges["/badge/payments.svg"].Element(Svg + "title")!.Value);
        Assert.Equal("Example & Sons: partial system outage", badges["/badge/overall.svg"].Attribute("aria-label")!.Value);
        Assert.All(badges.Values, b => Assert.Equal("img", b.Attribute("role")!.Value));
    }

    [Fact]
    public void A_long_or_hostile_name_stays_inside_a_sane_picture()
    {
        var names = new[] { new string('W', 100), "\"/><script>alert(1)</script>", "日本語のとても長いコンポーネント名", "i" };
        foreach (var name in names)
        {
            var document = Publication.Render(PageModels.Of([PageModels.Component(name) with { Slug = "it" }]), PageModels.Context).Single(d => d.Path == "/badge/it.svg");
            var svg = XDocument.Load(new MemoryStream(document.Body)).Root!;
            Assert.InRange(double.Parse(svg.Attribute("width")!.Value, CultureInfo.InvariantCulture), 60, 600);
            Assert.Empty(svg.Descendants(Svg + "script"));
        }
    }

    [Fact]
    public void A_component_called_overall_does_not_hide_the_whole() =>
        Assert.Contains("All systems", Publication.Render(PageModels.Of([PageModels.Component("Overall")]), PageModels.Context).Single(d => d.Path == "/badge/overall.svg") is { } d
            ? System.Text.Encoding.UTF8.GetString(d.Body) : "", StringComparison.OrdinalIgnoreCase);
}
