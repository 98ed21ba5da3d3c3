using System.Globalization;
using System.Text;

namespace Portal.Public;

/// <summary>What the charts of response times show of a series.</summary>
public static class Charts
{
    /// <summary>Less than this is no line to read anything from.</summary>
    const int FewestPoints = 3;

    public static IReadOnlyList<ResponseTimeSeries> Of(StatusPageModel model) => [.. model.ResponseTimes.Where(s => s.Known().Take(FewestPoints).Count() == FewestPoints)];

    public static string Whole(double value) => Math.Round(value).ToString("0", CultureInfo.InvariantCulture);

    public static IEnumerable<double> Known(this ResponseTimeSeries series) => series.Milliseconds.OfType<double>();

    public static double? Last(this ResponseTimeSeries series) => series.Milliseconds.LastOrDefault(m => m is not null);

    /// <summary>The middle one of the steps of an hour, and of all of them: as little bent by a slow answer as the steps are.</summary>
    public static double? Typical(this ResponseTimeSeries series, DateTimeOffset hour) =>
        Middle(series.Milliseconds.Where((_, i) => series.From + series.Step * i >= hour && series.From + series.Step * i < hour.AddHours(1)).OfType<double>());

    public static double Typical(this ResponseTimeSeries series) => Middle(series.Known()) ?? 0;

    static double? Middle(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? null : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    /// <summary>The path of an SVG, a unit a step and 40 high. Gaps stay gaps: after one the line begins anew.</summary>
    public static string Line(this ResponseTimeSeries series)
    {
        var path = new StringBuilder();
        int? last = null;
        for (var i = 0; i < series.Milliseconds.Count; i++)
        {
            if (series.Height(i) is not { } y || series.IsAlone(i)) { last = null; continue; }
            if (last is { } before) path.Append('l').Append('1').Append(y < before ? "" : " ").Append(y - before);
            else path.Append('M').Append(i).Append(' ').Append(y);
            last = y;
        }
        return path.ToString();
    }

    /// <summary>The path of the points that no line reaches; each is a dot by the round ends of its stroke.</summary>
    public static string Dots(this ResponseTimeSeries series) =>
        string.Concat(Enumerable.Range(0, series.Milliseconds.Count).Where(series.IsAlone).Select(i => string.Create(CultureInfo.InvariantCulture, $"M{i} {series.Height(i)}h0")));

    static bool IsAlone(this ResponseTimeSeries series, int i) =>
        series.Milliseconds[i] is not null && series.Milliseconds.ElementAtOrDefault(i - 1) is null && series.Milliseconds.ElementAtOrDefault(i + 1) is null;

    static int? Height(this ResponseTimeSeries series, int i) =>
        series.Milliseconds[i] is { } value ? (int)Math.Round(39 - 38 * value / Math.Max(series.Known().Max(), 1)) : null;
}
