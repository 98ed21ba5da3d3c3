using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>The clock that the portal and its PostgreSQL see is set back and forward while they run (Debian's faketime, monotonic time left alone).</summary>
static class ClockFaults
{
    static readonly string[] Libraries = ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        if (Libraries.FirstOrDefault(File.Exists) is not { } library) return [Figure.Note("clock jumps", "not measured: the package faketime is missing")];
        var offset = Path.GetTempFileName();
        File.SetUnixFileMode(offset, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        await File.WriteAllTextAsync(offset, "+0");
        try
        {
            await using var portal = new PortalProcess(environment: new Dictionary<string, string>
            {
                ["LD_PRELOAD"] = library, ["FAKETIME_TIMESTAMP_FILE"] = offset, ["FAKETIME_NO_CACHE"] = "1", ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            });
            await portal.Start();
            await Wait.Until("the first monitors were checked", async () => await Checked(portal, DateTimeOffset.MinValue), 30);
            var figures = new List<Figure>();
            foreach (var jump in new[] { -3_600, 3_600, -10, 86_400 }) figures.AddRange(await Jump(portal, offset, jump));
            return figures;
        }
        finally
        {
            File.Delete(offset);
        }
    }

    static async Task<IReadOnlyList<Figure>> Jump(PortalProcess portal, string offset, int seconds)
    {
        var (name, title) = ($"clock set by {seconds:+0;-0} s", $"Declared after {seconds:+0;-0}");
        var already = int.Parse(await File.ReadAllTextAsync(offset), CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(offset, (already + seconds).ToString("+0;-0;+0", CultureInfo.InvariantCulture));
        var clock = Stopwatch.StartNew();
        // In the portal's own time.
        var since = DateTimeOffset.UtcNow.AddSeconds(already + seconds);
        await Wait.Until("monitors are checked by the new clock", async () => await Checked(portal, since), 200);
        var checkedAfter = clock.Elapsed;
        var id = await Writer.Declare(portal, title);
        await Wait.Until("the incident is on the page", async () => (await portal.Http.GetStringAsync("/en/")).Contains(title, StringComparison.Ordinal), 20);
        var down = (await Writer.Get(portal, "/api/v1/monitors?limit=100")).GetProperty("items").EnumerateArray().Count(m => m.GetProperty("state").GetString() == "down");
        var answers = await Reads.All(portal, [.. Reads.Public, .. Reads.Management]);
        return
        [
            Figure.AtMost($"{name}: every monitor checked again after", checkedAfter.TotalSeconds, 130, " s"),
            Figure.AtMost($"{name}: monitors that turned red", down, 0, ""),
            Figure.AtMost($"{name}: reads not served", answers.Count(a => (int)a.Status != 200), 0, ""),
            Figure.AtMost($"{name}: incident not accepted", id is null ? 1 : 0, 0, ""),
        ];
    }

    /// <summary>Whether every monitor that runs was checked within the two minutes that follow a moment of the portal's own clock.</summary>
    static async Task<bool> Checked(PortalProcess portal, DateTimeOffset since)
    {
        var monitors = (await Writer.Get(portal, "/api/v1/monitors?limit=100")).GetProperty("items").EnumerateArray().ToList();
        return monitors.Count >= 10 && monitors.All(m => m.GetProperty("lastCheckAt") is { ValueKind: JsonValueKind.String } at
            && at.GetDateTimeOffset() >= since && (since == DateTimeOffset.MinValue || at.GetDateTimeOffset() < since.AddMinutes(10)));
    }
}
