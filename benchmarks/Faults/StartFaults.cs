using System.Diagnostics;
using System.Globalization;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>The very first start, killed at moments spread over all of it (cluster made, migrated, administrator made, page published), must be followed by one that succeeds.</summary>
static class StartFaults
{
    const int Moments = 8;

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        TimeSpan whole;
        var usual = new List<string>();
        await using (var portal = await PortalProcess.Start())
        {
            whole = portal.ReadyAfter;
            usual = await Names(portal);
        }
        var (broken, again) = (new List<string>(), new List<double>());
        for (var moment = 1; moment <= Moments; moment++)
        {
            await using var portal = new PortalProcess();
            var after = whole * moment / Moments;
            portal.Launch();
            await Task.Delay(after);
            await portal.Kill();
            var clock = Stopwatch.StartNew();
            try
            {
                await portal.Start();
                again.Add(clock.Elapsed.TotalSeconds);
                var names = await Names(portal);
                if (!names.SequenceEqual(usual)) broken.Add($"after {Seconds(after)} s: {names.Count} monitors instead of {usual.Count}");
            }
            catch (Exception e) when (e is InvalidOperationException or TimeoutException)
            {
                broken.Add($"after {Seconds(after)} s: {e.Message.Split('\n')[0]}");
            }
        }
        return
        [
            Figure.Note("first start: ready after", $"{Seconds(whole)} s"),
            Figure.AtMost($"first start killed: second starts that failed, of {Moments}", broken.Count, 0, ""),
            Figure.Note("first start killed: these", broken.Count == 0 ? "none" : string.Join("; ", broken)),
            Figure.AtMost("first start killed: slowest second start", again.DefaultIfEmpty().Max(), 30, " s"),
        ];
    }

    static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>The first monitors: each exactly once, however often the start was tried.</summary>
    static async Task<List<string>> Names(PortalProcess portal)
    {
        var names = new List<string>();
        await Wait.Until("the first monitors are there", async () =>
        {
            names = [.. (await Writer.Monitors(portal)).Order(StringComparer.Ordinal)];
            return names.Count >= 10;
        }, 20);
        return names;
    }
}
