using Portal.Public.Pages;

namespace Portal.Public;

/// <summary>A front page in one language, and its parts for those who have it open.</summary>
public sealed record LivePage(string Path, string ContentType, byte[] Body, IReadOnlyDictionary<string, string>? Headers, string Language, long Version, long ChangedAt, IReadOnlyDictionary<string, string> Fragments)
    : PublishedDocument(Path, ContentType, Body, Headers);

/// <summary>What must be right first: the front page in each language and the pages of incidents that are not over.</summary>
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
            var live = new Dictionary<string, string>(fragments)
            {
                ["title"] = $"{page.T["headline." + page.Headline]} · {context.Settings.Title}",
                ["icon"] = assets[$"favicon-{page.Headline.Css()}.svg"],
                ["state"] = page.Headline.Css(),
            };
            yield return new LivePage(language.FrontPath, PublicHeaders.Html, body, headers, language.Code, page.Version, page.ChangedAt, live);
            foreach (var incident in page.Active)
                yield return new PublishedDocument(language.Path($"/incidents/{incident.Id}"), PublicHeaders.Html, rendering.Bytes<IncidentPage>(("Page", page), ("Incident", incident)), headers);
        }
    }

    Dictionary<string, string> Fragments(PageContext page) => new()
    {
        ["banner"] = rendering.Html<Banner>(("Page", page)),
        ["incidents"] = rendering.Html<ActiveIncidents>(("Page", page)),
        ["components"] = rendering.Html<Pages.Components>(("Page", page)),
        ["response"] = rendering.Html<ResponseTimes>(("Page", page)),
        ["past"] = rendering.Html<PastDays>(("Page", page)),
    };
}

/// <summary>Everything else that customers read: components with the evidence of their days, past incidents, the history.</summary>
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
            yield return Document("/history", rendering.Bytes<HistoryPage>(("Page", page), ("Incidents", model.Incidents)));
            foreach (var month in Months(page))
                yield return Document($"/history/{month:yyyy-MM}", rendering.Bytes<HistoryPage>(("Page", page), ("Month", month), ("Incidents", model.Incidents)));
            foreach (var incident in model.Incidents.Where(i => i.ResolvedAt is not null))
                yield return Document($"/incidents/{incident.Id}", rendering.Bytes<IncidentPage>(("Page", page), ("Incident", incident)));

            PublishedDocument Document(string path, byte[] body) => new(language.Path(path), PublicHeaders.Html, body, headers);
        }
        foreach (var asset in assets.Documents) yield return asset;
    }

    /// <summary>Months that lie wholly within what the model holds and have incidents, and this one; older ones are read from the database when asked for.</summary>
    static IEnumerable<DateOnly> Months(PageContext page)
    {
        var complete = page.Today.AddDays(-PageContext.StripDays);
        return page.Model.Incidents.Select(i => First(page.DayOf(i.StartedAt))).Append(First(page.Today)).Distinct().Where(month => month > complete);
    }

    static DateOnly First(DateOnly day) => new(day.Year, day.Month, 1);
}
