using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>From <c>./run --no-build</c> on a data folder that exists to the line that says it is ready.</summary>
static class StartBench
{
    public static async Task<IReadOnlyList<Figure>> Run(PortalProcess portal)
    {
        var times = new List<double>();
        for (var start = 0; start < 3; start++)
        {
            await portal.Stop();
            await portal.Start();
            times.Add(portal.ReadyAfter.TotalSeconds);
        }
        return [Figure.AtMost("./run --no-build, existing folder: ready", times.Order().ElementAt(1), 5, " s")];
    }
}
