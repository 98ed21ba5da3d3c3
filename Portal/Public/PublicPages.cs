using Portal.Public.Pages;

namespace Portal.Public;

/// <summary>A front page in one language, and its parts for those who have it open.</summary>
public sealed record LivePage(string Path, string ContentType, byte[] Body, IReadOnlyDictionary<string, string>? Headers, string Language, long Version, long ChangedAt, IReadOnlyDictionary<string, Fragment> Fragments)
    : PublishedDocument(Path, ContentType, Body, Headers)
{
    /// <summary>What a page that shows <paramref name="before"/> must be sent: of a part that consists of others only those, unless it got or lost one.</summary>
    public IReadOnlyDictionary<string, string> ChangedSince(LivePage before)
    {
        return Fragments.Where(f => Differs(f.Key) && (f.Value.Within is not { } whole || !Differs(whole))).ToDictionary(f => f.Key, f => f.Value.Html);

        bool Differs(string name) => before.Fragments.GetValueOrDefault(name)?.Outline != Fragments[name].Outline;
    }
}

/// <summary>A part of the front page that is replaced by itself.</summary>
/// <param name="Within">The part that it lies in; null for one of the page itself.</param>
/// <param name="Outline">Without the parts that lie in it.</param>
public sealed record Fragment(string Html, string? Within, string Outline)
{
    public Fragment(string html, string? within = null) : this(html, within, html) { }
}

/// <summary>What must be right first: the front page in each language and the pages of incidents and maintenance under way.</summary>
public sealed class FrontPages(PageRendering rendering, PublicAssets assets) : IPublication
{
    public bool IsUrgent => true;

    public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
    {
        var headers = PublicHeaders.For(context.Settings);
        foreach (var language in PageLanguage.All)
        {
            var page = new PageContext(model, context, language, assets);
            var fragments = Fragments(page);
            var body = rendering.Bytes<FrontPage>(("Page", page), ("Fragments", fragments));
            var live = new Dictionary<string, Fragment>(fragments)
            {
                ["title"] = new($"{page.T[page.Sentence]} · {context.Settings.Title}"),
                ["icon"] = new(assets[$"favicon-{page.State}.svg"]),
                ["state"] = new(page.State),
            };
            yield return new LivePage(language.FrontPath, PublicHeaders.Html, body, headers, language.Code, page.Version, page.ChangedAt, live);
            foreach (var incident in page.Active)
                yield return new PublishedDocument(language.Path($"/incidents/{incident.Id}"), PublicHeaders.Html, rendering.Bytes<IncidentPage>(("Page", page), ("Incident", incident)), headers);
            foreach (var window in page.UnderWay)
                yield return new PublishedDocument(language.Path($"/maintenance/{window.Id}"), PublicHeaders.Html, rendering.Bytes<MaintenancePage>(("Page", page), ("Window", window)), headers);
        }
    }

    Dictionary<string, Fragment> Fragments(PageContext page)
    {
        var all = new Dictionary<string, Fragment>
        {
            ["banner"] = new(rendering.Html<Banner>(("Page", page))),
            ["incidents"] = new(rendering.Html<ActiveIncidents>(("Page", page))),
            ["maintenance"] = new(rendering.Html<AnnouncedWork>(("Page", page))),
        };
        Whole<Pages.Components>("components",
            page.Ungrouped.Select(c => ("c-" + c.Id, rendering.Html<ComponentRow>(("Page", page), ("Component", c))))
            .Concat(page.Grouped.Select(g => ("in-" + g.Group.Id, rendering.Html<ComponentGroup>(("Page", page), ("Group", g.Group), ("Components", g.Components))))));
        Whole<ResponseTimes>("response", Charts.Of(page.Model).Select((series, i) => ($"response-{i}", rendering.Html<Chart>(("Page", page), ("Series", series))))
            .Append(("response-hours", rendering.Html<ChartTable>(("Page", page)))));
        all["past"] = new(rendering.Html<PastDays>(("Page", page)));
        return all;

        void Whole<TWhole>(string name, IEnumerable<(string Name, string Html)> parts) where TWhole : Microsoft.AspNetCore.Components.IComponent
        {
            var inner = parts.ToDictionary(p => p.Name, p => p.Html);
            all[name] = new(Html(inner), null, Html(inner.ToDictionary(p => p.Key, _ => "")));
            foreach (var (part, html) in inner) all[part] = new(html, name);

            string Html(Dictionary<string, string> parts) => rendering.Html<TWhole>(("Page", page), ("Parts", parts));
        }
    }
}

/// <summary>Everything else that customers read: components with the evidence of their days, past incidents, maintenance, the history.</summary>
public sealed class ArchivePages(PageRendering rendering, PublicAssets assets) : IPublication
{
    public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
    {
        var headers = PublicHeaders.For(context.Settings);
        foreach (var language in PageLanguage.All)
        {
            var page = new PageContext(model, context, language, assets);
            foreach (var component in model.Components)
                yield return Document($"/components/{component.Slug}", rendering.Bytes<ComponentPage>(("Page", page), ("Component", component)));
            yield return Document("/history", rendering.Bytes<HistoryPage>(("Page", page), ("Incidents", model.Incidents), ("Windows", model.Maintenances)));
            foreach (var month in Months(page))
                yield return Document($"/history/{month:yyyy-MM}", rendering.Bytes<HistoryPage>(("Page", page), ("Month", month), ("Incidents", model.Incidents), ("Windows", model.Maintenances)));
            foreach (var incident in model.Incidents.Where(i => i.ResolvedAt is not null))
                yield return Document($"/incidents/{incident.Id}", rendering.Bytes<IncidentPage>(("Page", page), ("Incident", incident)));
            foreach (var window in model.Maintenances.Where(m => !m.Times.IsUnderWay(page.AsOf)))
                yield return Document($"/maintenance/{window.Id}", rendering.Bytes<MaintenancePage>(("Page", page), ("Window", window)));

            PublishedDocument Document(string path, byte[] body) => new(language.Path(path), PublicHeaders.Html, body, headers);
        }
        foreach (var asset in assets.Documents) yield return asset;
    }

    /// <summary>Months that lie wholly within what the model holds and have incidents or maintenance, and this one; older ones are read from the database when asked for.</summary>
    static IEnumerable<DateOnly> Months(PageContext page)
    {
        var complete = page.Today.AddDays(-PageContext.StripDays);
        return page.Model.Incidents.Select(i => i.StartedAt).Concat(page.Model.Maintenances.Select(m => m.Times.StartsAt).Where(at => at <= page.AsOf))
            .Select(at => PageContext.First(page.DayOf(at))).Append(PageContext.First(page.Today)).Distinct().Where(month => month > complete);
    }
}
