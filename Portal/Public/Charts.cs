using System.Globalization;
using System.Text;

namespace Portal.Public;

/// <summary>What the charts of response times show of a series.</summary>
public static class Charts
{
    public static IReadOnlyList<ResponseTimeSeries> Of(StatusPageModel model) => [.. model.ResponseTimes.Where(s => s.Known().Any())];

    public static string Whole(double value) => Math.Round(value).ToString("0", CultureInfo.InvariantCulture);

    public static IEnumerable<double> Known(this ResponseTimeSeries series) => series.Milliseconds.OfType<double>();

    public static double? Last(this ResponseTimeSeries series) => series.Milliseconds.LastOrDefault(m => m is not null);

    public static double? Average(this ResponseTimeSeries series, DateTimeOffset hour)
    {
        var values = series.Milliseconds.Where((_, i) => series.From + series.Step * i >= hour && series.From + series.Step * i < hour.AddHours(1)).OfType<double>().ToList();
        return values.Count > 0 ? values.Average() : null;
    }

    /// <summary>The path of an SVG, a unit a step and 40 high. Gaps stay gaps: after one the line begins anew.</summary>
    public static string Line(this ResponseTimeSeries series)
    {
        var top = Math.Max(series.Known().Max(), 1);
        var path = new StringBuilder();
        int? last = null;
        for (var i = 0; i < series.Milliseconds.Count; i++)
        {
            if (series.Milliseconds[i] is not { } value) { last = null; continue; }
            var y = (int)Math.Round(39 - 38 * value / top);
            if (last is { } before) path.Append('l').Append('1').Append(y < before ? "" : " ").Append(y - before);
            else path.Append('M').Append(i).Append(' ').Append(y).Append("l0 0");
            last = y;
        }
        return path.ToString();
    }
}
