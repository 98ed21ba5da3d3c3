using System.Globalization;
using System.Text;

namespace Portal.Components.Ui;

/// <summary>The words of a response-time chart, so that each page brings them in its own language.</summary>
/// <param name="Caption">{0} the unit, {1} the zone.</param>
/// <param name="Summary">{0} lowest, {1} highest, {2} latest, {3} the unit.</param>
/// <param name="NoData">In the table, where nothing was measured.</param>
/// <param name="Empty">Instead of the picture when there is no value at all.</param>
public sealed record ResponseTimeTexts(
    string Unit, string Caption, string Summary, string ShowTable, string TimeHead, string ValueHead, string NoData, string Empty,
    string TimeFormat = "HH:mm", string TableTimeFormat = "d MMM HH:mm", string HighHead = "95th percentile")
{
    public static readonly ResponseTimeTexts English = new(
        "ms", "Response time in {0}; times in {1}", "Response time: between {0:0} and {1:0} {3}, latest {2:0} {3}",
        "Show as a table", "Time", "Response time", "no data", "No response times yet.");

    /// <summary>Of a chart with both lines.</summary>
    public static readonly ResponseTimeTexts Percentiles = English with
    {
        Caption = "Median and, thinner, 95th percentile in {0}; times in {1}",
        Summary = "Median response time: between {0:0} and {1:0} {3}, latest {2:0} {3}",
        ValueHead = "Median",
    };

    /// <summary>The same over more than two days.</summary>
    public static readonly ResponseTimeTexts Days = Percentiles with { TimeFormat = "d MMM" };
}

/// <summary>Axes and path of a response-time chart: round numbers above the highest value, whole hours of the zone.</summary>
sealed record ResponseTimeScale(double Lowest, double Highest, double Latest, double Ceiling, IReadOnlyList<double> Values, IReadOnlyList<DateTimeOffset> Times)
{
    public static readonly ResponseTimeScale Empty = new(0, 0, 0, 0, [], []);

    static readonly int[] Minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080, 40320];

    public bool IsEmpty => Ceiling == 0;

    /// <param name="highs">Drawn above the points; they raise the ceiling and nothing else.</param>
    public static ResponseTimeScale Of(IReadOnlyList<(DateTimeOffset At, double? Ms)> points, IReadOnlyList<(DateTimeOffset At, double? Ms)> highs, DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone)
    {
        var known = points.Where(p => p.Ms is not null && p.At >= from && p.At <= to).Select(p => p.Ms!.Value).ToList();
        if (known.Count == 0 || to <= from) return Empty;
        var highest = Math.Max(known.Max(), highs.Max(h => h.Ms) ?? 0);
        var step = Step(highest);
        var ceiling = Math.Max(step, Math.Ceiling(highest / step) * step);
        var values = Enumerable.Range(0, (int)Math.Round(ceiling / step) + 1).Select(i => i * step).ToList();
        return new(known.Min(), known.Max(), known[^1], ceiling, values, Ticks(from, to, zone));
    }

    public string Path(IReadOnlyList<(DateTimeOffset At, double? Ms)> points, DateTimeOffset from, DateTimeOffset to)
    {
        if (IsEmpty) return "";
        var path = new StringBuilder();
        var drawing = false;
        var run = 0;
        foreach (var (at, ms) in points.Where(p => p.At >= from && p.At <= to))
        {
            // A single point between two holes has no length: "h0" with a round cap draws it as a dot.
            if (ms is null) { if (run == 1) path.Append("h0"); (drawing, run) = (false, 0); continue; }
            var (x, y) = ((at - from) / (to - from) * 1000, 1000 - ms.Value / Ceiling * 1000);
            path.Append(drawing ? 'L' : 'M').Append(Number(x)).Append(' ').Append(Number(y));
            (drawing, run) = (true, run + 1);
        }
        return run == 1 ? path.Append("h0").ToString() : path.ToString();
    }

    /// <summary>1, 2 or 5 times a power of ten, so that three to five lines lie under the highest value.</summary>
    static double Step(double highest)
    {
        var rough = Math.Max(highest, 1) / 4;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
    }

    static List<DateTimeOffset> Ticks(DateTimeOffset from, DateTimeOffset to, TimeZoneInfo zone)
    {
        var every = TimeSpan.FromMinutes(Minutes.FirstOrDefault(m => (to - from).TotalMinutes / m <= 7, Minutes[^1]));
        var ticks = new List<DateTimeOffset>();
        var offset = zone.GetUtcOffset(from);
        for (var local = Floor(from.UtcTicks + offset.Ticks, every.Ticks); ; local += every.Ticks)
        {
            // The offset may change on the way: a tick stands at the whole hour of its own offset.
            var at = new DateTimeOffset(local - offset.Ticks, TimeSpan.Zero);
            at = new DateTimeOffset(local - zone.GetUtcOffset(at).Ticks, TimeSpan.Zero);
            if (at > to) return ticks;
            if (at >= from) ticks.Add(at);
        }
    }

    static long Floor(long value, long step) => value - value % step;

    static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
