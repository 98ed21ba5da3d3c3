using System.Globalization;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Public;

/// <summary>Everything a page of one language is rendered from: the model, the instant that it speaks of, the words; and what is derived from them once.</summary>
public sealed class PageContext
{
    readonly Dictionary<ComponentId, IReadOnlyList<DayRecord>> days = [];

    public PageContext(StatusPageModel model, RenderContext render, PageLanguage language, PublicAssets assets)
    {
        (Model, Render, Language, Assets) = (model, render, language, assets);
        Known = Claim(model);
        (Indicator, Headline) = StatusRules.Overall([.. model.Components.Select(c => c.Status)], Active.Select(i => i.Impact));
    }

    public const int StripDays = 90;

    public StatusPageModel Model { get; }
    public RenderContext Render { get; }
    public PageLanguage Language { get; }
    public PublicAssets Assets { get; }
    public PublicText T => Language.Text;
    public TimeZoneInfo Zone => Render.Settings.Zone;
    public DateTimeOffset AsOf => Render.AsOf;
    public Indicator Indicator { get; }
    public Headline Headline { get; }
    public Knowledge Known { get; }
    /// <summary>The name of the one sentence above everything: never that all is well where nobody knows.</summary>
    public string Sentence => Headline == Headline.AllOperational && Known != Knowledge.All ? $"headline.known.{Known}" : $"headline.{Headline}";
    public string State => Headline == Headline.AllOperational && Known is Knowledge.NothingShown or Knowledge.Nothing ? "unknown" : Headline.Css();
    public long Version => PageClock.Version(Model, AsOf);
    /// <summary>Milliseconds since 1970: a lower version with a later change tells an open page that the database was restored.</summary>
    public long ChangedAt => Model.ChangedAt.ToUnixTimeMilliseconds();
    /// <summary>The worst first, then the newest.</summary>
    public IEnumerable<IncidentView> Active => Model.Incidents.Where(i => i.ResolvedAt is null).OrderByDescending(i => i.Impact).ThenByDescending(i => i.StartedAt);
    /// <summary>What ends first stands first.</summary>
    public IEnumerable<MaintenanceView> UnderWay => Model.Maintenances.Where(m => m.Times.IsUnderWay(AsOf)).OrderBy(m => m.Times.End).ThenBy(m => m.Id.Value);
    /// <summary>What begins first stands first.</summary>
    public IEnumerable<MaintenanceView> Coming => Model.Maintenances.Where(m => m.Times.StatusAt(AsOf) == MaintenanceStatus.Scheduled).OrderBy(m => m.Times.StartsAt).ThenBy(m => m.Id.Value);
    /// <summary>The day on which the history begins; before it there is nothing to tell.</summary>
    public DateOnly FirstDay => DayOf(Model.Beginning ?? Model.Components.Select(c => c.CreatedAt).Concat(Model.Incidents.Select(i => i.StartedAt)).DefaultIfEmpty(AsOf).Min());
    public DateOnly FirstMonth => First(FirstDay);
    public DateOnly Today => DayOf(AsOf);

    public static DateOnly First(DateOnly day) => new(day.Year, day.Month, 1);
    public string Url(string path) => Language.Path(path);
    public string Absolute(string path) => Render.Settings.BaseUrl + path;
    public DateTimeOffset Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Zone);
    public DateOnly DayOf(DateTimeOffset at) => DateOnly.FromDateTime(Local(at).DateTime);
    public string ClockOf(DateTimeOffset at) => $"{Local(at).ToString("HH:mm", CultureInfo.InvariantCulture)} {ZoneName.At(Zone, at)}";

    /// <summary>"14:20 CET" on the day that the page speaks of, otherwise with the date before it.</summary>
    public string Moment(DateTimeOffset at, bool withDate = true) =>
        withDate || DayOf(at) != Today ? T.Of("moment", Language.Date(DayOf(at)), ClockOf(at)) : ClockOf(at);

    /// <summary>The last 90 days of a component, oldest first. While the database is away, the time since the model was read is without data.</summary>
    public IReadOnlyList<DayRecord> Days(ComponentView component)
    {
        if (days.TryGetValue(component.Id, out var known)) return known;
        return days[component.Id] = UptimeRules.Days(component.Spans, GapsOf(component), component.ObservedFrom, Zone, StripDays, AsOf);
    }

    public IReadOnlyCollection<Interval> GapsOf(ComponentView component)
    {
        var gaps = component.Gaps.Select(g => new Interval(g.From, g.To ?? AsOf)).ToList();
        if (Render.Stale && component.IsMonitored) gaps.Add(new Interval(Model.ReadAt, AsOf));
        return gaps;
    }

    /// <summary>Since when the page says what it says; null where that is not known.</summary>
    public DateTimeOffset? Since
    {
        get
        {
            if (Headline == Headline.AllOperational && Known != Knowledge.All) return null;
            if (Headline != Headline.AllOperational)
                return Model.Components.Where(c => c.Status != ComponentStatus.Operational).Select(c => c.Since)
                    .Concat(Active.Select(i => (DateTimeOffset?)i.StartedAt)).Min();
            return Model.Components.Select(c => c.Since).Concat(Model.Incidents.Select(i => i.ResolvedAt)).Max();
        }
    }

    /// <summary>Whether a strip of the page shows a day that was not, or hardly, observed.</summary>
    public bool HasThinDays => Model.Components.Any(c => Days(c).Any(d => d.StripCss() is "unknown" or "sparse"));

    static Knowledge Claim(StatusPageModel model) => model.Components.Count == 0 ? Knowledge.NothingShown
        : model.Components.All(c => c.IsUnknown) ? Knowledge.Nothing
        : model.Components.Any(c => c.IsUnknown) ? Knowledge.Some : Knowledge.All;

    public IEnumerable<ComponentView> Ungrouped => Model.Components.Where(c => c.Group is null);

    public IEnumerable<(GroupView Group, IReadOnlyList<ComponentView> Components)> Grouped =>
        Model.Groups.Select(g => (g, (IReadOnlyList<ComponentView>)[.. Model.Components.Where(c => c.Group == g.Id)])).Where(g => g.Item2.Count > 0);
}

/// <summary>Of how many components it is known how they are.</summary>
public enum Knowledge { NothingShown, Nothing, Some, All }

/// <summary>How a state is called: in styles, in texts, in addresses of icons.</summary>
public static class StateNames
{
    public static string Css(this ComponentStatus status) => status switch
    {
        ComponentStatus.Operational => "operational",
        ComponentStatus.UnderMaintenance => "maintenance",
        ComponentStatus.DegradedPerformance => "degraded",
        ComponentStatus.PartialOutage => "partial",
        _ => "major",
    };

    public static string Css(this Headline headline) => headline switch
    {
        Headline.AllOperational => "operational",
        Headline.UnderMaintenance => "maintenance",
        Headline.PartiallyDegraded or Headline.DegradedService => "degraded",
        Headline.MinorOutage => "partial",
        Headline.PartialSystemOutage => "partial",
        _ => "major",
    };

    public static string Css(this Indicator impact) => impact switch
    {
        Indicator.None => "operational",
        Indicator.Maintenance => "maintenance",
        Indicator.Minor => "degraded",
        Indicator.Major => "partial",
        _ => "major",
    };

    public static string Css(this ComponentView component) => component.IsUnknown ? "unknown" : component.Status.Css();

    /// <summary>As below, and a day without trouble that was observed for less than half of its time is no solid one.</summary>
    public static string StripCss(this DayRecord day) =>
        day.Css() is "operational" && day.Observed < day.Unobserved ? "sparse" : day.Css();

    /// <summary>The state of a day; a day that nobody observed is unknown.</summary>
    public static string Css(this DayRecord day) => day.Observed <= TimeSpan.Zero ? "unknown" : day.Worst.Css();
}
