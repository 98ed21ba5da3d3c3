using System.Diagnostics;
using System.Net;
using Portal.E2E.Support;

namespace Portal.Benchmarks.Faults;

/// <summary>PostgreSQL killed and kept away, hung, and away when the portal starts: every public address, the management API and the way back.</summary>
static class DatabaseFaults
{
    const int Rounds = 3;

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        var figures = new List<Figure>();
        await using var portal = await PortalProcess.Start(demo: true);
        await Wait.Until("the first page is complete", async () => Reads.AreGood(await Reads.All(portal, Reads.Public)), 30);

        figures.AddRange(await During(portal, "stopped", Vanish, Return));
        int[] family = [];
        figures.AddRange(await During(portal, "hung", p => Signals.Send("STOP", family = p.PostgresFamily), _ => Signals.Send("CONT", family)));

        await portal.Kill();
        Vanish(portal);
        var clock = Stopwatch.StartNew();
        portal.Launch();
        await Wait.Until("the page is served from disk", async () => (await portal.Http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK, 30);
        figures.Add(Figure.AtMost("database away at the start: ready from disk", clock.Elapsed.TotalSeconds, 5, " s"));
        figures.AddRange(await Asked(portal, "database away at the start"));
        figures.Add(await Back(portal, "database away at the start", Return));
        return figures;
    }

    static async Task<IReadOnlyList<Figure>> During(PortalProcess portal, string fault, Action<PortalProcess> begin, Action<PortalProcess> end)
    {
        begin(portal);
        var told = Told(portal);
        var figures = (await Asked(portal, $"database {fault}")).ToList();
        figures.Add(Figure.AtMost($"database {fault}: a balancer is told to leave the staff screens after", (await told).TotalSeconds, 10, " s"));
        figures.Add(await Back(portal, $"database {fault}", end));
        return figures;
    }

    static async Task<TimeSpan> Told(PortalProcess portal)
    {
        var clock = Stopwatch.StartNew();
        await Wait.Until("a balancer is told", async () => (await portal.Http.GetAsync("/health/ready?scope=staff")).StatusCode == HttpStatusCode.ServiceUnavailable, 60);
        return clock.Elapsed;
    }

    /// <summary>What each address answers while the database is gone.</summary>
    static async Task<IReadOnlyList<Figure>> Asked(PortalProcess portal, string fault)
    {
        var (pages, management, screens) = (new List<Reads.Answer>(), new List<Reads.Answer>(), new List<Reads.Answer>());
        for (var round = 0; round < Rounds; round++)
        {
            pages.AddRange(await Reads.All(portal, Reads.Public));
            management.AddRange(await Reads.All(portal, Reads.Management));
            screens.AddRange(await Reads.All(portal, Reads.Screens));
        }
        var (publicBad, managementBad, screensBad) = (pages.Count(a => a.Status != HttpStatusCode.OK), management.Count(a => !Refused(a)), screens.Count(a => (int)a.Status is not (200 or 302) && !Refused(a)));
        return
        [
            Figure.AtMost($"{fault}: public reads not served, of {pages.Count}", publicBad, 0, ""),
            Figure.Note($"{fault}: these", Reads.Others(pages, a => a.Status == HttpStatusCode.OK)),
            Figure.AtMost($"{fault}: slowest public read", pages.Where(a => a.Path != "/health").Max(a => a.Took).TotalMilliseconds, 1_000, " ms"),
            Figure.AtMost($"{fault}: slowest /health, which asks the database", pages.Where(a => a.Path == "/health").Max(a => a.Took).TotalMilliseconds, 3_000, " ms"),
            Figure.AtMost($"{fault}: management reads without 503 in words, of {management.Count}", managementBad, 0, ""),
            Figure.Note($"{fault}: these", Reads.Others(management, Refused)),
            Figure.AtMost($"{fault}: slowest refusal", management.Concat(screens).Max(a => a.Took).TotalSeconds, 15, " s"),
            Figure.AtMost($"{fault}: screens without an answer in words, of {screens.Count}", screensBad, 0, ""),
            Figure.Note($"{fault}: these", Reads.Others(screens, a => (int)a.Status is 200 or 302 || Refused(a))),
        ];
    }

    static bool Refused(Reads.Answer answer) => answer.Status == HttpStatusCode.ServiceUnavailable && answer.SaysWhy;

    /// <summary>From the end of the fault until scripts read and write again and the page says so.</summary>
    static async Task<Figure> Back(PortalProcess portal, string fault, Action<PortalProcess> end)
    {
        end(portal);
        var clock = Stopwatch.StartNew();
        var title = $"After: {fault}";
        await Wait.Until("an incident can be declared", async () => await Writer.Declare(portal, title) is not null, 60);
        await Wait.Until("it is on the page", async () => (await portal.Http.GetStringAsync("/en/")).Contains(title, StringComparison.Ordinal), 60);
        await Wait.Until("everything answers", async () => Reads.AreGood(await Reads.All(portal, [.. Reads.Public, .. Reads.Management])), 60);
        return Figure.AtMost($"{fault}: declared and on the page again after", clock.Elapsed.TotalSeconds, 15, " s");
    }

    /// <summary>Killed, and without its control file no new server can start.</summary>
    static void Vanish(PortalProcess portal)
    {
        File.Move(ControlFile(portal), ControlFile(portal) + ".away");
        Signals.Send("KILL", portal.PostgresFamily);
    }

    static void Return(PortalProcess portal) => File.Move(ControlFile(portal) + ".away", ControlFile(portal));

    static string ControlFile(PortalProcess portal) => Path.Combine(portal.Data, "postgres", "global", "pg_control");
}
