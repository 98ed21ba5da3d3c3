using System.Globalization;

namespace Portal.Components.Ui;

/// <summary>Lengths of time as people say them, in their two largest units: 0.3 s, 38 s, 4 min 10 s, 1 h 04 min, 2 d 3 h. Hours go on to the end of the second day.</summary>
public static class SpanWords
{
    public static string Of(TimeSpan span)
    {
        if (span <= TimeSpan.Zero) return "0 s";
        if (span.TotalSeconds < 0.1) return "less than 0.1 s";
        if (span.TotalSeconds < 0.95) return string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s");
        var s = (long)Math.Round(span.TotalSeconds);
        return s switch
        {
            < 60 => $"{s} s",
            < 3_600 => s % 60 == 0 ? $"{s / 60} min" : $"{s / 60} min {s % 60} s",
            < 172_770 => (s + 30) % 3_600 / 60 == 0 ? $"{(s + 30) / 3_600} h" : $"{(s + 30) / 3_600} h {(s + 30) % 3_600 / 60:00} min",
            _ => (s + 1_800) % 86_400 / 3_600 == 0 ? $"{(s + 1_800) / 86_400} d" : $"{(s + 1_800) / 86_400} d {(s + 1_800) % 86_400 / 3_600} h",
        };
    }
}
