using System.Globalization;
using System.Security.Cryptography;
using Portal.Components;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Public.Pages;

namespace Portal.Public;

/// <summary>Public pages that are not kept ready: older incidents and months, and what to say when there is no page.</summary>
public sealed class OnDemandPages(PublicIncidents incidents, Publisher publisher, PageRendering rendering, PublicAssets assets, PublicAddress address, TimeProvider clock)
{
    public async Task<IResult> Incident(PageLanguage language, string id, CancellationToken ct)
    {
        if (!Id.TryParse<IncidentId>(id, out var incident)) return Missing(language);
        if (publisher.Model?.Incidents.FirstOrDefault(i => i.Id == incident) is { } known)
            return new Answer(rendering.Bytes<IncidentPage>(("Page", Page(language)), ("Incident", known)), StatusCodes.Status200OK, address.Settings);
        return await FromDatabase(language, async page =>
            rendering.Bytes<IncidentPage>(("Page", page), ("Incident", await incidents.Load(incident, page.AsOf, ct))));
    }

    public async Task<IResult> Month(PageLanguage language, string text, CancellationToken ct)
    {
        if (!DateOnly.TryParseExact(text + "-01", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month) || month.Year < 2000) return Missing(language);
        if (month > Page(language).Today) return Missing(language);
        return await FromDatabase(language, async page =>
        {
            var (from, to) = (UptimeRules.DayIn(page.Zone, month).From, UptimeRules.DayIn(page.Zone, month.AddMonths(1)).From);
            return rendering.Bytes<HistoryPage>(("Page", page), ("Month", month), ("Incidents", await incidents.Load(from, to, page.AsOf, ct)));
        });
    }

    /// <summary>Only in the moment between a new component and its published page, and for those that do not exist.</summary>
    public IResult Component(PageLanguage language, string slug) =>
        publisher.Model?.Components.FirstOrDefault(c => c.Slug == slug) is { } known
            ? new Answer(rendering.Bytes<ComponentPage>(("Page", Page(language)), ("Component", known)), StatusCodes.Status200OK, address.Settings)
            : Missing(language);

    public IResult Missing(PageLanguage language) => Message(language, "missing", StatusCodes.Status404NotFound);

    /// <summary>Nothing was published yet: an empty data folder before the first contact with the database.</summary>
    public IResult Starting(PageLanguage language) => Message(language, "starting", StatusCodes.Status503ServiceUnavailable);

    async Task<IResult> FromDatabase(PageLanguage language, Func<PageContext, Task<byte[]>> render)
    {
        try
        {
            return new Answer(await render(Settled(language)), StatusCodes.Status200OK, address.Settings);
        }
        catch (NotFoundException)
        {
            return Missing(language);
        }
        catch (Exception e) when (Refusal.IsDatabaseAway(e))
        {
            return Message(language, "away", StatusCodes.Status503ServiceUnavailable);
        }
    }

    Answer Message(PageLanguage language, string key, int status)
    {
        var page = Page(language);
        return new Answer(rendering.Bytes<MessagePage>(("Page", page), ("Heading", page.T[key]), ("Text", page.T[key + ".text"])), status, address.Settings);
    }

    PageContext Page(PageLanguage language)
    {
        var now = clock.GetUtcNow();
        var model = publisher.Model ?? Nothing(now);
        return new PageContext(model, new RenderContext(PageClock.AsOf(model.ChangedAt, now), address.Settings, false), language, assets);
    }

    /// <summary>What is long past reads the same until something changes: the same bytes, and so the same ETag, on every node.</summary>
    PageContext Settled(PageLanguage language)
    {
        var page = Page(language);
        return new PageContext(page.Model, page.Render with { AsOf = page.Model.ChangedAt }, language, assets);
    }

    static StatusPageModel Nothing(DateTimeOffset now) => new()
    {
        Version = 0,
        ChangedAt = now,
        ReadAt = now,
        PageId = PageIdentity.Unknown,
        IsDemo = false,
        Groups = [],
        Components = [],
        Incidents = [],
        ResponseTimes = [],
    };

    sealed class Answer(byte[] body, int status, PublicSettings settings) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var (request, response) = (httpContext.Request, httpContext.Response);
            response.Headers.CacheControl = status == StatusCodes.Status200OK ? "public, max-age=0, s-maxage=60" : "no-store";
            if (status == StatusCodes.Status200OK)
            {
                var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..20]}\"";
                response.Headers.ETag = tag;
                if (new PublishedBytes.Variant(body, tag, default).IsNamedBy(request.Headers.IfNoneMatch))
                {
                    response.StatusCode = StatusCodes.Status304NotModified;
                    return;
                }
            }
            (response.StatusCode, response.ContentType, response.ContentLength) = (status, PublicHeaders.Html, body.Length);
            foreach (var (name, value) in PublicHeaders.For(settings)) response.Headers[name] = value;
            if (status == StatusCodes.Status503ServiceUnavailable) response.Headers.RetryAfter = "10";
            if (!HttpMethods.IsHead(request.Method)) await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
