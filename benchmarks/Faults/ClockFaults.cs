using System.Diagnostics;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>The clock that the portal and its PostgreSQL see is set back and forward while they run.</summary>
static class ClockFaults
{
    public static async Task<IReadOnlyList<Figure>> Run()
    {
        var folder = Directory.CreateTempSubdirectory("portal-clock-").FullName;
        // PostgreSQL's own user loads and reads these too.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var (library, shift) = (Path.Combine(folder, "shifted-clock.so"), Path.Combine(folder, "seconds"));
        try
        {
            await Compile(library);
            await Set(shift, 0);
            await using var portal = new PortalProcess(environment: new Dictionary<string, string> { ["LD_PRELOAD"] = library, ["SHIFTED_CLOCK"] = shift });
            await portal.Start();
            await Wait.Until("the first monitors were checked", async () => await LastChecks(portal) is { Count: >= 10 } all && all.Values.All(at => at is not null), 30);
            var figures = new List<Figure>();
            var seconds = 0L;
            foreach (var jump in new[] { -3_600, 3_600, -10, 86_400 }) figures.AddRange(await Jump(portal, shift, jump, seconds += jump));
            return figures;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<IReadOnlyList<Figure>> Jump(PortalProcess portal, string shift, int jump, long seconds)
    {
        var (name, title) = ($"clock set by {jump:+0;-0} s", $"Declared after {jump}");
        await Set(shift, seconds);
        var before = await LastChecks(portal);
        var clock = Stopwatch.StartNew();
        var id = await Writer.Declare(portal, title);
        await Wait.Until("the incident is on the page", async () => (await portal.Http.GetStringAsync("/en/")).Contains(title, StringComparison.Ordinal), 20);
        var shown = clock.Elapsed;
        await Wait.Until("every monitor is checked again", async () => (await LastChecks(portal)).All(m => m.Value != before.GetValueOrDefault(m.Key)), 200);
        var checkedAfter = clock.Elapsed;
        var down = (await Writer.Get(portal, "/api/v1/monitors?limit=100")).GetProperty("items").EnumerateArray().Count(m => m.GetProperty("state").GetString() == "down");
        var answers = await Reads.All(portal, [.. Reads.Public, .. Reads.Management]);
        return
        [
            Figure.AtMost($"{name}: incident declared and on the page after", shown.TotalSeconds, 2, " s"),
            Figure.AtMost($"{name}: every monitor checked again after", checkedAfter.TotalSeconds, 130, " s"),
            Figure.AtMost($"{name}: monitors that turned red", down, 0, ""),
            Figure.AtMost($"{name}: reads not served, and incidents not accepted", answers.Count(a => (int)a.Status != 200) + (id is null ? 1 : 0), 0, ""),
        ];
    }

    /// <summary>Written over, never cut short: the portal has it mapped.</summary>
    static async Task Set(string shift, long seconds)
    {
        await using var file = new FileStream(shift, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        await file.WriteAsync(BitConverter.GetBytes(seconds));
    }

    static async Task Compile(string library)
    {
        string[] arguments = ["-shared", "-fPIC", "-O1", "-o", library, Path.Combine(Checkout.Root, "benchmarks", "Faults", "shifted-clock.c"), "-ldl"];
        using var gcc = Process.Start(new ProcessStartInfo("gcc", arguments))!;
        await gcc.WaitForExitAsync();
        if (gcc.ExitCode != 0) throw new InvalidOperationException("gcc could not make the library that shifts the clock.");
    }

    /// <summary>When each monitor was checked last. A check never bears a time before that of the one before it, so after a clock was set back times creep on from where they were.</summary>
    static async Task<Dictionary<string, string?>> LastChecks(PortalProcess portal) =>
        (await Writer.Get(portal, "/api/v1/monitors?limit=100")).GetProperty("items").EnumerateArray().ToDictionary(m => m.GetProperty("id").GetString()!, m => m.GetProperty("lastCheckAt").GetString());
}
