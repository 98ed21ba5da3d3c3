using System.Globalization;

namespace Portal.Public;

/// <summary>A language of the public page: its words and how it writes dates and figures. Independent of the machine's cultures, so that nodes agree to the byte.</summary>
public sealed class PageLanguage
{
    readonly string[] months, shortMonths;

    PageLanguage(string code, string prefix, PublicText text)
    {
        (Code, Prefix, Text) = (code, prefix, text);
        (months, shortMonths) = (text["months"].Split('|'), text["months.short"].Split('|'));
    }

    public static PageLanguage English { get; } = new("en", "", PublicText.English);
    public static PageLanguage German { get; } = new("de", "/de", PublicText.German);
    public static IReadOnlyList<PageLanguage> All { get; } = [English, German];

    public string Code { get; }
    /// <summary>What stands before every path of this language; empty for the first one.</summary>
    public string Prefix { get; }
    public PublicText Text { get; }

    /// <summary>The front page in this language whatever the browser asks for; <c>/</c> itself chooses.</summary>
    public string FrontPath => $"/{Code}/";

    public string Path(string path) => path == "/" ? FrontPath : Prefix + path;

    public string Date(DateOnly day) => Text.Of("date", day.Day, shortMonths[day.Month - 1], day.Year);

    public string DayAndMonth(DateOnly day) => Text.Of("date.day", day.Day, shortMonths[day.Month - 1]);

    public string Month(DateOnly month) => $"{months[month.Month - 1]} {month.Year.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>A ratio as a percentage with at most two decimals, always rounded down: less than all is never written as 100.</summary>
    public string Percent(double ratio) =>
        Text.Of("percent", (Math.Floor(ratio * 10_000 + 1e-7) / 100).ToString("0.##", CultureInfo.InvariantCulture).Replace(".", Text["decimal"], StringComparison.Ordinal));

    /// <summary>A length of time in its two largest units: "2 h 5 min".</summary>
    public string Duration(TimeSpan length)
    {
        if (length < TimeSpan.FromMinutes(1)) return Text.Of("seconds", (int)length.TotalSeconds);
        if (length < TimeSpan.FromHours(1)) return Text.Of("minutes", (int)length.TotalMinutes);
        if (length < TimeSpan.FromDays(1)) return length.Minutes == 0 ? Text.Of("hours", (int)length.TotalHours) : Text.Of("hours.minutes", (int)length.TotalHours, length.Minutes);
        return length.Hours == 0 ? Text.Of("days", (int)length.TotalDays) : Text.Of("days.hours", (int)length.TotalDays, length.Hours);
    }

    /// <summary>Minutes with one decimal where they are not whole, for formulas.</summary>
    public string Minutes(TimeSpan length) =>
        Math.Round(length.TotalMinutes, 1).ToString("0.#", CultureInfo.InvariantCulture).Replace(".", Text["decimal"], StringComparison.Ordinal);

    /// <summary>The language that an <c>Accept-Language</c> header prefers; English where it names none of ours.</summary>
    public static PageLanguage Preferred(ReadOnlySpan<char> header)
    {
        var (english, german) = (0.0, 0.0);
        foreach (var range in header.Split(','))
        {
            var part = header[range].Trim();
            var semicolon = part.IndexOf(';');
            var tag = (semicolon < 0 ? part : part[..semicolon]).TrimEnd();
            var quality = semicolon < 0 ? 1 : Quality(part[(semicolon + 1)..]);
            if (IsTag(tag, "de")) german = Math.Max(german, quality);
            else if (IsTag(tag, "en")) english = Math.Max(english, quality);
        }
        return german > english ? German : English;
    }

    static bool IsTag(ReadOnlySpan<char> tag, ReadOnlySpan<char> code) =>
        tag.StartsWith(code, StringComparison.OrdinalIgnoreCase) && (tag.Length == code.Length || tag[code.Length] == '-');

    static double Quality(ReadOnlySpan<char> parameter)
    {
        var value = parameter.Trim();
        return value.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(value[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var quality) ? quality : 1;
    }
}
