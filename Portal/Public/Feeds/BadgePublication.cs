using System.Globalization;
using System.Net;
using System.Text;
using Portal.Domain.StatusPages;

namespace Portal.Public.Feeds;

/// <summary>Small pictures of a state for readmes and wikis: <c>/badge/overall.svg</c> and one a component.</summary>
public sealed class BadgePublication : IPublication
{
    const string Whole = "overall";
    const int LongestName = 40;

    static readonly IReadOnlyDictionary<string, string> Embeddable = new Dictionary<string, string>
    {
        ["Access-Control-Allow-Origin"] = "*",
        ["Cross-Origin-Resource-Policy"] = "cross-origin",
    };

    public IEnumerable<PublishedDocument> Render(StatusPageModel model, RenderContext context)
    {
        var (indicator, headline) = StatusRules.Overall([.. model.Components.Select(c => c.Status)], model.Incidents.Where(i => i.ResolvedAt is null).Select(i => i.Impact));
        yield return Badge(Whole, context.Settings.Title, ReadApi.ReadApiView.Describe(headline).ToLowerInvariant(), Colour(indicator));
        foreach (var component in model.Components.Where(c => c.Slug != Whole))
            yield return Badge(component.Slug, component.Name, Word(component.Status), Colour(component.Status));
    }

    static PublishedDocument Badge(string name, string label, string state, string colour) =>
        new($"/badge/{name}.svg", "image/svg+xml; charset=utf-8", Encoding.UTF8.GetBytes(Svg(Short(FeedEntry.Clean(label)), state, colour)), Embeddable);

    static string Svg(string label, string state, string colour)
    {
        var (left, right) = (Width(label) + 12, Width(state) + 12);
        var whole = left + right;
        var title = WebUtility.HtmlEncode($"{label}: {state}");
        string N(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
        // textLength holds the text inside its box whatever font the viewer has.
        string Text(string words, double x, double width) =>
            $"""<text x="{N(x)}" y="14" textLength="{N(width)}" lengthAdjust="spacingAndGlyphs">{WebUtility.HtmlEncode(words)}</text>""";
        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{N(whole)}" height="20" viewBox="0 0 {N(whole)} 20" role="img" aria-label="{title}">
              <title>{title}</title>
              <path fill="#3a424e" d="M4 0H{N(left)}V20H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z"/>
              <path fill="{colour}" d="M{N(left)} 0h{N(right - 4)}a4 4 0 0 1 4 4v12a4 4 0 0 1-4 4H{N(left)}z"/>
              <g fill="#fff" font-family="Verdana,DejaVu Sans,system-ui,sans-serif" font-size="11">{Text(label, 6, left - 12)}{Text(state, left + 6, right - 12)}</g>
            </svg>

            """;
    }

    /// <summary>About what 11 px of a wide sans-serif need; exactness is left to <c>textLength</c>.</summary>
    static double Width(string text)
    {
        var width = 0.0;
        foreach (var rune in text.EnumerateRunes())
            width += rune.Value switch
            {
                'i' or 'j' or 'l' or 'I' or '.' or ',' or ':' or ';' or '\'' or '|' or '!' => 3.6,
                'f' or 'r' or 't' or ' ' or '(' or ')' or '-' or '/' => 4.6,
                'm' or 'w' or 'M' or 'W' or '@' or '%' => 10,
                >= 'A' and <= 'Z' => 7.7,
                < 0x1100 => 6.8,
                _ => 11.5,
            };
        return Math.Max(12, Math.Round(width, 1));
    }

    static string Short(string text)
    {
        var elements = new StringInfo(text);
        return elements.LengthInTextElements <= LongestName ? text : elements.SubstringByTextElements(0, LongestName - 1) + "…";
    }

    static string Word(ComponentStatus status) => status switch
    {
        ComponentStatus.MajorOutage => "major outage",
        ComponentStatus.PartialOutage => "partial outage",
        ComponentStatus.DegradedPerformance => "degraded performance",
        ComponentStatus.UnderMaintenance => "under maintenance",
        _ => "operational",
    };

    // The text colours of the design tokens: white on them is readable.
    static string Colour(ComponentStatus status) => status switch
    {
        ComponentStatus.MajorOutage => "#b0211b",
        ComponentStatus.PartialOutage => "#9a4a00",
        ComponentStatus.DegradedPerformance => "#7d5700",
        ComponentStatus.UnderMaintenance => "#1c5bb8",
        _ => "#0f6b3c",
    };

    static string Colour(Indicator indicator) => indicator switch
    {
        Indicator.Critical => "#b0211b",
        Indicator.Major => "#9a4a00",
        Indicator.Minor => "#7d5700",
        Indicator.Maintenance => "#1c5bb8",
        _ => "#0f6b3c",
    };
}
