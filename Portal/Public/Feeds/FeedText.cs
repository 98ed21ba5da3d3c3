using System.Globalization;
using System.Resources;

namespace Portal.Public.Feeds;

/// <summary>The words of feeds in one language, from <c>Resources/FeedText*.resx</c>.</summary>
sealed class FeedText(string language)
{
    static readonly ResourceManager Resources = new("Portal.Public.Resources.FeedText", typeof(FeedText).Assembly);
    readonly CultureInfo culture = language == "en" ? CultureInfo.InvariantCulture : CultureInfo.GetCultureInfo(language);

    public string Language { get; } = language;

    /// <summary>What stands before a path in this language.</summary>
    public string Prefix { get; } = language == "en" ? "" : "/" + language;

    public string this[string key] => Resources.GetString(key, culture) ?? throw new KeyNotFoundException($"No text is called {key}.");

    public string Of(string key, params object?[] values) => string.Format(culture, this[key], values);

    /// <summary>"2 Mar 2026, 14:20 CET" in the page's zone.</summary>
    public string Time(DateTimeOffset at, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(at, zone);
        return local.ToString(this["time"], culture) + " " + ZoneName.At(zone, at);
    }
}
