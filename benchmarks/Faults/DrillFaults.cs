using System.Diagnostics;
using System.Text.Json;
using Portal.E2E.Support;
using Portal.Tests.Backups;

namespace Portal.Benchmarks.Faults;

/// <summary>Drills of a portal that is killed or frozen: each ends well at a later attempt, with one record, and nothing of a scratch server is left.</summary>
static class DrillFaults
{
    public static async Task<IReadOnlyList<Figure>> Run(PortalProcess portal, HeldBucket bucket, BackupFaults.Fault fault)
    {
        await BackupFaults.End(portal, await BackupFaults.Queue(portal, "/api/v1/backups", new { target = BackupFaults.Shop }));
        BackupFaults.Phase[] phases =
        [
            new("manifest read", () => BackupFaults.Held(bucket, "GET", BackupFaults.Manifest)),
            new("content fetched", () => BackupFaults.Held(bucket, "GET", BackupFaults.Content)),
            new("data asked", async () => await Question.Ask(portal)),
        ];
        var (bad, slowest) = (new List<string>(), TimeSpan.Zero);
        foreach (var phase in phases)
        {
            string job;
            Stopwatch clock;
            await using (var hold = await phase.Hold())
            {
                job = await BackupFaults.Queue(portal, "/api/v1/drills", new { scenario = "database-lost", target = BackupFaults.Shop });
                await BackupFaults.Reaches(portal, hold, job);
                await fault.Do();
                clock = Stopwatch.StartNew();
            }
            await fault.Then();
            var end = await BackupFaults.End(portal, job);
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
            // A node that wakes up alone may find its lease untaken and go on: what counts is one whole record.
            var wrong = end.Outcome != "succeeded" ? $"ended as {end.Outcome}" : end.Attempt < 2 && fault.Name == "killed" ? "was not begun anew" : await LeftWrong(portal, job);
            if (wrong is not null) bad.Add($"{phase.Name}: {wrong}");
            BackupFaults.Tell(fault, "a drill", phase.Name, wrong, clock);
        }
        return
        [
            Figure.AtMost($"portal {fault.Name} in {phases.Length} phases of a drill: not passed with one whole record and nothing left", bad.Count, 0, ""),
            Figure.Note($"portal {fault.Name} in a drill: these", BackupFaults.Words(bad)),
            Figure.AtMost($"portal {fault.Name} in a drill: slowest from the fault to the good end", slowest.TotalSeconds, 60, " s"),
        ];
    }

    static async Task<string?> LeftWrong(PortalProcess portal, string job)
    {
        if (await portal.Ask($"select count(*) from drill_evidence where drill_id = '{job}'") is not "1" and var records) return $"{records} records";
        if (!(await Writer.Get(portal, $"/api/v1/drills/{job}")).GetProperty("whole").GetBoolean()) return "its record is not whole";
        var folder = Path.Combine(portal.Data, "drills");
        await Wait.Until("no scratch server is left", () => Directory.GetFileSystemEntries(folder).Length == 0, 60);
        return null;
    }

    /// <summary>As long as it is there, each drill takes minutes to be answered.</summary>
    internal sealed record Question(PortalProcess Portal) : IAsyncDisposable
    {
        public static async Task<Question> Ask(PortalProcess portal)
        {
            await BackupFaults.Post(portal, "/api/v1/drill-checks", new { target = BackupFaults.Shop, name = "Takes long", sql = "select pg_sleep(200) is not null" });
            return new(portal);
        }

        /// <summary>Also while the portal is down: its database lives on.</summary>
        public async ValueTask DisposeAsync() => await Portal.Sql("delete from drill_checks where name = 'Takes long'");
    }
}
