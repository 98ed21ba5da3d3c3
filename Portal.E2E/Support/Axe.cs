using System.Text.Json;
using Microsoft.Playwright;

namespace Portal.E2E.Support;

/// <summary>axe-core on the page as it stands: all rules in light, and in dark those that colours decide. The window must bypass the content policy, which rightly blocks injected scripts.</summary>
static class Axe
{
    static readonly string Source = File.ReadAllText(Path.Combine(Checkout.Root, "node_modules", "axe-core", "axe.min.js"));

    /// <param name="name">Of the pictures that are taken beside it.</param>
    public static async Task<IReadOnlyList<string>> Violations(IPage page, string name)
    {
        await Look.At(page, $"light-{name}");
        await page.EvaluateAsync($"() => {{ {Source} ; window.axe = window.axe || axe; }}");
        var light = await Run(page, "{ resultTypes: ['violations'] }");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Look.At(page, $"dark-{name}");
        var dark = await Run(page, "{ resultTypes: ['violations'], runOnly: ['color-contrast', 'link-in-text-block'] }");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        return [.. light, .. dark.Select(d => $"in dark, {d}")];
    }

    static async Task<IEnumerable<string>> Run(IPage page, string options)
    {
        var json = await page.EvaluateAsync<string>($$"""
            async () => JSON.stringify((await axe.run(document, {{options}})).violations
                .map(v => ({ id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.target.join(' ') + ' | ' + (n.any[0]?.message ?? n.failureSummary)) })))
            """);
        return JsonDocument.Parse(json).RootElement.EnumerateArray().Select(v => $"{v.GetProperty("id")}: {v.GetProperty("help")}\n    {string.Join("\n    ", v.GetProperty("nodes").EnumerateArray())}");
    }
}
