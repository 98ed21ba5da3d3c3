using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>Four programs write all the time; whatever is done to the portal and its database, what was confirmed is there once.</summary>
static class WriteFaults
{
    static readonly TimeSpan Before = TimeSpan.FromSeconds(3);

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        var figures = new List<Figure>();
        await using var portal = await PortalProcess.Start();
        foreach (var (fault, times, act) in new (string, int, Func<PortalProcess, Task>)[]
        {
            ("portal killed", 4, async p => { await p.Kill(); await p.Start(); }),
            ("portal stopped by Ctrl-C", 2, async p => { await p.Stop(); await p.Start(); }),
            ("database killed", 3, p => { Signals.Send("KILL", p.PostgresFamily); return Task.CompletedTask; }),
            ("database hung for 12 s", 2, Hang),
            ("portal and database killed", 2, async p => { var family = p.PostgresFamily; Signals.Send("KILL", family); await p.Kill(); await p.Start(); }),
        })
            figures.AddRange(await Under(portal, fault, times, act));
        return figures;
    }

    static async Task<IReadOnlyList<Figure>> Under(PortalProcess portal, string fault, int times, Func<PortalProcess, Task> act)
    {
        var (confirmed, uncertain, taken, lost, doubled) = (0, 0, 0, 0, 0);
        for (var time = 0; time < times; time++)
        {
            using var writer = new Writer(portal, $"{fault} {time}");
            writer.Start();
            await Task.Delay(Before);
            await act(portal);
            await Task.Delay(Before);
            await writer.Stop();
            await Wait.Until("the portal writes again", async () => (await portal.Http.GetAsync("/health/ready?scope=staff")).IsSuccessStatusCode, 60);
            uncertain += writer.Uncertain;
            taken += (await writer.Settle()).Taken;
            confirmed += writer.Confirmed;
            var (missing, twice) = await writer.Count();
            (lost, doubled) = (lost + missing, doubled + twice);
        }
        return
        [
            Figure.Note($"{fault} ×{times} under writes: confirmed; in doubt; of these keys that stay taken", $"{confirmed}; {uncertain}; {taken}"),
            Figure.AtMost($"{fault} ×{times} under writes: confirmed and lost", lost, 0, ""),
            Figure.AtMost($"{fault} ×{times} under writes: saved twice", doubled, 0, ""),
        ];
    }

    static async Task Hang(PortalProcess portal)
    {
        var family = portal.PostgresFamily;
        Signals.Send("STOP", family);
        await Task.Delay(TimeSpan.FromSeconds(12));
        Signals.Send("CONT", family);
    }
}
