using System.Text.Json;
using System.Text.RegularExpressions;
using Portal.Domain.Monitoring;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Whether an answer says what it should.</summary>
static class TextRules
{
    // Those of many monitors are read once, not at each check.
    static TextRules() => Regex.CacheSize = 1_000;

    public static bool Any(MonitorOptions o) => (o.ExpectText ?? o.RejectText ?? o.ExpectJsonPath ?? o.ExpectPattern) is not null;

    /// <param name="cut">There was more than is read.</param>
    /// <returns>What is wrong, in words; null when nothing is.</returns>
    public static string? Refusal(MonitorOptions options, string text, bool cut)
    {
        var where = cut ? $"The first {HttpProbe.LargestBody / 1024} KB of the answer do" : "The answer does";
        if (options.ExpectText is { } wanted && !text.Contains(wanted, StringComparison.Ordinal)) return $"{where} not contain \"{Shown(wanted)}\".";
        if (options.RejectText is { } unwanted && text.Contains(unwanted, StringComparison.Ordinal)) return $"The answer contains \"{Shown(unwanted)}\".";
        if (options.ExpectPattern is { } pattern)
            try
            {
                if (!Matches(text, pattern)) return $"{where} not match {Shown(pattern)}.";
            }
            catch (RegexMatchTimeoutException)
            {
                return $"The pattern was not matched within {MonitorOptions.MatchTimeout.TotalMilliseconds:0} ms. Make it simpler.";
            }
        return options.ExpectJsonPath is { } path ? Json(path, options.ExpectJsonValue, text, cut) : null;
    }

    static bool Matches(string text, string pattern)
    {
        try
        {
            return Regex.IsMatch(text, pattern, MonitorOptions.Matching, MonitorOptions.MatchTimeout);
        }
        catch (NotSupportedException)
        {
            // Saved before such patterns were refused; it says the same as then, within its time.
            return Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant, MonitorOptions.MatchTimeout);
        }
    }

    static string? Json(string path, string? value, string text, bool cut)
    {
        if (cut) return $"The answer is longer than {HttpProbe.LargestBody / 1024} KB, so it cannot be read as JSON.";
        try
        {
            using var document = JsonDocument.Parse(text);
            var found = JsonPath.Parse(path).Find(document.RootElement);
            if (found.Count == 0) return $"{path} leads to nothing in the answer.";
            return value is null || found.Contains(value, StringComparer.Ordinal) ? null : $"{path} is \"{Shown(found[0])}\"; expected \"{Shown(value)}\".";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return "The answer is not valid JSON.";
        }
    }

    /// <summary>Fit for a line on a screen.</summary>
    static string Shown(string text)
    {
        var clean = new string([.. text.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(101)]);
        return clean.Length <= 100 ? clean : clean[..99] + "…";
    }
}
