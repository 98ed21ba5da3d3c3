using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Portal.Components;
using Portal.Domain.Incidents;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.StatusPages;
using Portal.Infrastructure.Redis;
using Portal.Public.Pages;

namespace Portal.Public;

/// <summary>Public pages that are not kept ready: older incidents, maintenance and months, and what to say when there is no page.</summary>
/// <remarks>What was read for one node need not be read for another: the key of the shared cache holds everything that the bytes depend on.</remarks>
public sealed class OnDemandPages(PublicIncidents incidents, PublicMaintenances maintenances, Publisher publisher, PageRendering rendering, PublicAssets assets, PublicAddress address, SharedCache cache, TimeProvider clock) : IDisposable
{
    /// <summary>So many are read at once, however many ask: published pages, staff and monitors need the database too.</summary>
    const int ReadAtOnce = 4;
    const int MostKept = 256;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2), KeptFor = TimeSpan.FromSeconds(10), SharedFor = TimeSpan.FromMinutes(30);

    readonly SemaphoreSlim readers = new(ReadAtOnce);
    readonly ConcurrentDictionary<string, Kept> kept = new();

    public async Task<IResult> Incident(PageLanguage language, string id, CancellationToken ct)
    {
        if (!Id.TryParse<IncidentId>(id, out var incident)) return Missing(language);
        if (publisher.Model?.Incidents.FirstOrDefault(i => i.Id == incident) is { } known)
            return new Answer(rendering.Bytes<IncidentPage>(("Page", Page(language)), ("Incident", known)), StatusCodes.Status200OK, address.Settings);
        return await FromDatabase(language, $"incidents/{incident}", async (page, token) =>
            rendering.Bytes<IncidentPage>(("Page", page), ("Incident", await incidents.Load(incident, page.AsOf, token))), ct);
    }

    public async Task<IResult> Maintenance(PageLanguage language, string id, CancellationToken ct)
    {
        if (!Id.TryParse<MaintenanceId>(id, out var window)) return Missing(language);
        if (publisher.Model?.Maintenances.FirstOrDefault(m => m.Id == window) is { } known)
            return new Answer(rendering.Bytes<MaintenancePage>(("Page", Page(language)), ("Window", known)), StatusCodes.Status200OK, address.Settings);
        return await FromDatabase(language, $"maintenance/{window}", async (page, token) =>
            rendering.Bytes<MaintenancePage>(("Page", page), ("Window", await maintenances.Load(window, token))), ct);
    }

    public async Task<IResult> Month(PageLanguage language, string text, CancellationToken ct)
    {
        if (!DateOnly.TryParseExact(text + "-01", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month) || month.Year < 2000) return Missing(language);
        if (publisher.Model is not null && Page(language) is var now && (month > now.Today || month < now.FirstMonth)) return Missing(language);
        return await FromDatabase(language, $"history/{month:yyyy-MM}", async (page, token) =>
        {
            var (from, to) = (UptimeRules.DayIn(page.Zone, month).From, UptimeRules.DayIn(page.Zone, month.AddMonths(1)).From);
            return rendering.Bytes<HistoryPage>(("Page", page), ("Month", month), ("Incidents", await incidents.Load(from, to, page.AsOf, token)), ("Windows", await maintenances.Load(from, to, token)));
        }, ct);
    }

    /// <summary>Only in the moment between a new component and its published page, and for those that do not exist.</summary>
    public IResult Component(PageLanguage language, string slug) =>
        publisher.Model is not null && Page(language) is var page && page.Model.Components.FirstOrDefault(c => c.Slug == slug) is { } known
            ? new Answer(rendering.Bytes<ComponentPage>(("Page", page), ("Component", known)), StatusCodes.Status200OK, address.Settings)
            : Missing(language);

    public IResult Missing(PageLanguage language) => NotThere(language);

    /// <summary>An address that nothing answers to: in the language of its path, or the one that the browser prefers.</summary>
    public IResult Unknown(HttpRequest request) =>
        Missing(request.Path.StartsWithSegments("/de") ? PageLanguage.German : request.Path.StartsWithSegments("/en") ? PageLanguage.English : PageLanguage.Preferred(request.Headers.AcceptLanguage.ToString()));

    Answer NotThere(PageLanguage language) => Message(language, "missing", StatusCodes.Status404NotFound);

    /// <summary>Nothing was published yet: an empty data folder before the first contact with the database.</summary>
    public IResult Starting(PageLanguage language) => Message(language, "starting", StatusCodes.Status503ServiceUnavailable);

    async Task<IResult> FromDatabase(PageLanguage language, string what, Func<PageContext, CancellationToken, Task<byte[]>> render, CancellationToken ct)
    {
        var key = language.Path("/" + what);
        if (Recent(key) is { } recent) return recent;
        try
        {
            var page = Settled(language);
            var body = publisher.Model is null ? await Read(page, render, ct) : await cache.GetOrCompute(KeyOf(page, key), SharedFor, token => Read(page, render, token), ct);
            return Keep(key, new Answer(body, StatusCodes.Status200OK, address.Settings));
        }
        catch (BusyException)
        {
            return Message(language, "busy", StatusCodes.Status503ServiceUnavailable);
        }
        catch (NotFoundException)
        {
            return Keep(key, NotThere(language));
        }
        catch (Exception e) when (Refusal.IsDatabaseAway(e))
        {
            return Message(language, "away", StatusCodes.Status503ServiceUnavailable);
        }
    }

    async Task<byte[]> Read(PageContext page, Func<PageContext, CancellationToken, Task<byte[]>> render, CancellationToken ct)
    {
        if (!await readers.WaitAsync(Patience, ct)) throw new BusyException();
        try
        {
            return await render(page, ct);
        }
        finally
        {
            readers.Release();
        }
    }

    string KeyOf(PageContext page, string path)
    {
        var (model, settings) = (page.Model, page.Render.Settings);
        var all = string.Create(CultureInfo.InvariantCulture, $"{assets.Stamp}\n{model.Version}\n{page.AsOf.UtcTicks}\n{settings.BaseUrl}\n{settings.Title}\n{settings.Zone.Id}\n{path}");
        return "page:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..32];
    }

    /// <summary>Too many read at once.</summary>
    sealed class BusyException : Exception;

    Answer Message(PageLanguage language, string text, int status) =>
        Recent($"{language.Code} {text}") ?? Keep($"{language.Code} {text}", Render(language, text, status));

    Answer Render(PageLanguage language, string text, int status)
    {
        var page = Page(language);
        return new Answer(rendering.Bytes<MessagePage>(("Page", page), ("Heading", page.T[text]), ("Text", page.T[text + ".text"])), status, address.Settings);
    }

    /// <summary>What was answered a moment ago, if nothing on the page has changed since.</summary>
    Answer? Recent(string key) =>
        kept.TryGetValue(key, out var known) && known.Version == publisher.Model?.Version && clock.GetElapsedTime(known.At) < KeptFor ? known.Answer : null;

    Answer Keep(string key, Answer answer)
    {
        // Whoever asks for ever new addresses shall not fill the memory.
        if (kept.Count >= MostKept) kept.Clear();
        kept[key] = new Kept(answer, publisher.Model?.Version, clock.GetTimestamp());
        return answer;
    }

    public void Dispose() => readers.Dispose();

    sealed record Kept(Answer Answer, long? Version, long At);

    PageContext Page(PageLanguage language)
    {
        var now = clock.GetUtcNow();
        var model = publisher.Model ?? Nothing(now);
        var asOf = PageClock.AsOf(model, now, null);
        return new PageContext(model.At(asOf), new RenderContext(asOf, address.Settings, false), language, assets);
    }

    /// <summary>What is long past reads the same until something changes: the same bytes, and so the same ETag, on every node.</summary>
    PageContext Settled(PageLanguage language)
    {
        var page = Page(language);
        // Maintenance that began or ended since is no change of the model.
        var edges = page.Model.Maintenances.SelectMany(m => m.Times.Edges).Select(e => e.At).Where(at => at <= page.AsOf);
        return new PageContext(page.Model, page.Render with { AsOf = edges.Append(page.Model.ChangedAt).Max() }, language, assets);
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
        readonly PublishedBytes.Variant variant = new(body, status == StatusCodes.Status200OK ? $"\"{Convert.ToHexStringLower(SHA256.HashData(body))[..20]}\"" : "", default);

        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var (request, response) = (httpContext.Request, httpContext.Response);
            response.Headers.CacheControl = status == StatusCodes.Status200OK ? "public, max-age=0, s-maxage=60" : "no-store";
            if (status == StatusCodes.Status200OK)
            {
                response.Headers.ETag = variant.ETagHeader;
                if (variant.IsNamedBy(request.Headers.IfNoneMatch))
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
