using System.Text.Json;
using Microsoft.Playwright;

namespace Portal.E2E.Support;

/// <summary>axe-core on the page as it stands. The window must bypass the content policy, which rightly blocks injected scripts.</summary>
static class Axe
{
    static readonly string Source = File.ReadAllText(Path.Combine(Checkout.Root, "node_modules", "axe-core", "axe.min.js"));

    public static async Task<IReadOnlyList<string>> Violations(IPage page)
    {
        await page.EvaluateAsync($"() => {{ {Source} ; window.axe = window.axe || axe; }}");
        var json = await page.EvaluateAsync<string>("""
            async () => JSON.stringify((await axe.run(document, { resultTypes: ['violations'] })).violations
                .map(v => ({ id: v.id, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.target.join(' ') + ' | ' + (n.any[0]?.message ?? n.failureSummary)) })))
            """);
        return [.. JsonDocument.Parse(json).RootElement.EnumerateArray().Select(v => $"{v.GetProperty("id")}: {v.GetProperty("help")}\n    {string.Join("\n    ", v.GetProperty("nodes").EnumerateArray())}")];
    }
}
