using System.Globalization;
using System.Text;
using System.Xml;

namespace Portal.Public.Feeds;

/// <summary>What happened, for feed readers: RSS 2.0 and Atom, in each language, the latest 50 incidents and maintenances.</summary>
public sealed class FeedPublication : IPublication
{
    const int Latest = 50;
    const string Atom = "http://www.w3.org/2005/Atom";
    static readonly FeedText[] Languages = [new("en"), new("de")];

    public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
    {
        foreach (var text in Languages)
        {
            var entries = model.Incidents.OrderByDescending(i => i.CreatedAt).Take(Latest).Select(i => FeedEntry.Of(i, text, context.Settings))
                .Concat(model.Maintenances.OrderByDescending(m => m.CreatedAt).Take(Latest).Select(m => FeedEntry.Of(m, text, context)))
                .OrderByDescending(e => e.Published).Take(Latest).ToList();
            // The feed's own time is that of its newest entry: a check or a chart is no news.
            var updated = entries.Select(e => e.Updated).DefaultIfEmpty(DateTimeOffset.UnixEpoch).Max();
            var feed = new Feed(model, context.Settings, text, entries, updated);
            yield return new PublishedDocument($"{text.Prefix}/history.rss", "application/rss+xml; charset=utf-8", feed.Rss(), ReadApi.ReadApiPublication.OpenToAll);
            yield return new PublishedDocument($"{text.Prefix}/history.atom", "application/atom+xml; charset=utf-8", feed.AsAtom(), ReadApi.ReadApiPublication.OpenToAll);
        }
    }

    sealed record Feed(StatusPageModel Model, PublicSettings Settings, FeedText Text, List<FeedEntry> Entries, DateTimeOffset Updated)
    {
        string Home => $"{Settings.BaseUrl}{Text.Prefix}/";
        string Title => FeedEntry.Clean(Text.Of("title", Settings.Title));

        public byte[] Rss() => Write(xml =>
        {
            xml.WriteStartElement("rss");
            xml.WriteAttributeString("version", "2.0");
            xml.WriteAttributeString("xmlns", "atom", null, Atom);
            xml.WriteStartElement("channel");
            xml.WriteElementString("title", Title);
            xml.WriteElementString("link", Home);
            xml.WriteElementString("description", FeedEntry.Clean(Text.Of("description", Settings.Title)));
            xml.WriteElementString("language", Text.Language);
            xml.WriteElementString("lastBuildDate", Rfc822(Updated));
            Link(xml, "self", $"{Settings.BaseUrl}{Text.Prefix}/history.rss", "application/rss+xml", Atom);
            foreach (var entry in Entries)
            {
                xml.WriteStartElement("item");
                xml.WriteElementString("title", entry.Title);
                xml.WriteElementString("link", entry.Link);
                xml.WriteElementString("description", entry.Html);
                xml.WriteElementString("category", entry.Category);
                xml.WriteStartElement("guid");
                xml.WriteAttributeString("isPermaLink", "false");
                xml.WriteString(entry.Id);
                xml.WriteEndElement();
                xml.WriteElementString("pubDate", Rfc822(entry.Updated));
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
            xml.WriteEndElement();
        });

        public byte[] AsAtom() => Write(xml =>
        {
            xml.WriteStartElement("feed", Atom);
            xml.WriteAttributeString("xml", "lang", null, Text.Language);
            xml.WriteElementString("id", Atom, Guid.TryParse(Model.PageId, out var id) ? $"urn:uuid:{id:D}" : Home);
            xml.WriteElementString("title", Atom, Title);
            xml.WriteElementString("updated", Atom, Rfc3339(Updated));
            xml.WriteStartElement("author", Atom);
            xml.WriteElementString("name", Atom, FeedEntry.Clean(Settings.Title));
            xml.WriteEndElement();
            Link(xml, "self", $"{Settings.BaseUrl}{Text.Prefix}/history.atom", "application/atom+xml", Atom);
            Link(xml, "alternate", Home, "text/html", Atom);
            foreach (var entry in Entries)
            {
                xml.WriteStartElement("entry", Atom);
                xml.WriteElementString("id", Atom, entry.Id);
                xml.WriteElementString("title", Atom, entry.Title);
                xml.WriteElementString("published", Atom, Rfc3339(entry.Published));
                xml.WriteElementString("updated", Atom, Rfc3339(entry.Updated));
                Link(xml, "alternate", entry.Link, "text/html", Atom);
                xml.WriteStartElement("category", Atom);
                xml.WriteAttributeString("term", entry.Category);
                xml.WriteEndElement();
                xml.WriteStartElement("content", Atom);
                xml.WriteAttributeString("type", "html");
                xml.WriteString(entry.Html);
                xml.WriteEndElement();
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        });

        static void Link(XmlWriter xml, string rel, string href, string type, string ns)
        {
            xml.WriteStartElement("link", ns);
            xml.WriteAttributeString("rel", rel);
            xml.WriteAttributeString("href", href);
            xml.WriteAttributeString("type", type);
            xml.WriteEndElement();
        }

        static byte[] Write(Action<XmlWriter> content)
        {
            using var bytes = new MemoryStream();
            using (var xml = XmlWriter.Create(bytes, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = true, NewLineChars = "\n" }))
            {
                xml.WriteStartDocument();
                content(xml);
            }
            return bytes.ToArray();
        }

        static string Rfc822(DateTimeOffset at) => at.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture);

        static string Rfc3339(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }
}
