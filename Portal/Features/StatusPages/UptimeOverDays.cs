using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Public;

namespace Portal.Features.StatusPages;

/// <summary>The uptime of all components together, as the status page counts it, from what is published: also while the database is away.</summary>
public sealed class UptimeOverDays(Func<StatusPageModel?> published, TimeZoneInfo zone, TimeProvider clock)
{
    public const int Days = 30;
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);
    View? last;

    /// <param name="ByDay">Oldest first, the last is today; null where nothing was observed.</param>
    public sealed record View(IReadOnlyList<double?> ByDay, double? Whole, DateTimeOffset At)
    {
        public double? Today => ByDay[^1];
    }

    /// <summary>At most ten seconds old.</summary>
    public View Load()
    {
        var now = clock.GetUtcNow();
        if (Volatile.Read(ref last) is { } known && (now - known.At).Duration() < Fresh) return known;
        var components = published()?.At(now).Components ?? [];
        var records = components.Select(c => UptimeRules.Days(c.Spans, [.. c.Gaps.Select(g => new Interval(g.From, g.To ?? now))], c.ObservedFrom, zone, Days, now)).ToList();
        var view = new View([.. Enumerable.Range(0, Days).Select(day => UptimeRules.Ratio(records.Select(r => r[day])))], UptimeRules.Ratio(records.SelectMany(r => r)), now);
        Volatile.Write(ref last, view);
        return view;
    }
}
