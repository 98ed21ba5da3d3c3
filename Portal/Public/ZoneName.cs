using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Portal.Public;

/// <summary>What people call a zone at an instant: "CET", "CEST", or "UTC+5:30" where it has no letters.</summary>
/// <remarks>.NET drops the abbreviations of the time zone database; they are read from the rule at the end of the zone's file (RFC 9636, footer).</remarks>
public static partial class ZoneName
{
    static readonly ConcurrentDictionary<string, (string? Standard, string? Daylight)> Known = new();

    public static string At(TimeZoneInfo zone, DateTimeOffset at)
    {
        if (zone.HasSameRules(TimeZoneInfo.Utc)) return "UTC";
        var (standard, daylight) = Known.GetOrAdd(zone.Id, Read);
        var name = zone.IsDaylightSavingTime(at) ? daylight : standard;
        return name ?? Offset(zone.GetUtcOffset(at));
    }

    static string Offset(TimeSpan offset) => offset == TimeSpan.Zero ? "UTC"
        : string.Create(CultureInfo.InvariantCulture, $"UTC{(offset < TimeSpan.Zero ? '−' : '+')}{Math.Abs(offset.Hours)}{(offset.Minutes == 0 ? "" : $":{Math.Abs(offset.Minutes):00}")}");

    static (string?, string?) Read(string id)
    {
        var file = System.IO.Path.Combine(Environment.GetEnvironmentVariable("TZDIR") ?? "/usr/share/zoneinfo", id);
        if (!File.Exists(file)) return (null, null);
        var rule = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)).TrimEnd('\n');
        var names = Names().Match(rule[(rule.LastIndexOf('\n') + 1)..]);
        return names.Success ? (Letters(names.Groups[1].Value), Letters(names.Groups[2].Value)) : (null, null);
    }

    static string? Letters(string name) => name.Length >= 3 && name.All(char.IsAsciiLetter) ? name : null;

    [GeneratedRegex(@"^(<[^>]+>|[A-Za-z]+)[-+0-9:]+(<[^>]+>|[A-Za-z]+)?")]
    private static partial Regex Names();
}
