using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>What a first visit costs a customer, counted by a real browser with an empty cache.</summary>
static class FirstLoadBench
{
    public static async Task<IReadOnlyList<Figure>> Run(PortalProcess portal)
    {
        await using var window = await Browser.Open(portal);
        var load = await FirstLoad.Of(window.Page, "/");
        return
        [
            Figure.AtMost("first load: compressed", load.Bytes / 1024.0, 40, " KiB"),
            Figure.AtMost("first load: requests", load.Requests, 5, ""),
        ];
    }
}
