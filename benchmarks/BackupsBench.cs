using System.Globalization;
using System.Net.Http.Headers;
using Portal.E2E.Support;

namespace Portal.Benchmarks;

/// <summary>A backup of a database of 2 GB and its restore against the same dump through stock tools, in turns; and the memory that the portal takes for them, also at a tenth of that size.</summary>
/// <remarks>The machine's memory holds the databases, and both sides write to the same disk. Ours also counts every table, has reached the disk when it ends (fsync) and is published; the stock pipe's file need not have reached it.</remarks>
static class BackupsBench
{
    const int Rounds = 2, Level = 6;
    const double Times = 1.1, MostMegabytes = 200;
    static readonly long Bytes = long.Parse(Environment.GetEnvironmentVariable("PORTAL_BENCH_BACKUP_MB") ?? "2048", CultureInfo.InvariantCulture) << 20;

    public static async Task<IReadOnlyList<Figure>> Run()
    {
        await using var portal = await PortalProcess.Start();
        portal.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", PortalProcess.ApiKey);
        // Its own backup of every hour is not to fall into a measurement.
        await portal.Sql("update job_schedules set paused_at = now()");
        var (stock, ours) = (await StockTools.Of(portal), new PortalBackups(portal));
        var (small, large) = (await Target(stock, ours, "small", Bytes / 10), await Target(stock, ours, "large", Bytes));
        var idle = Processes.Memory(portal.Pid);
        // The first one compiles the code as well, and that counts as memory that it takes.
        var first = await ours.BackUp(await ours.AddPlan("small", Level, "Archive"));
        var (figures, last, sum) = await BackUps(stock, ours, large);
        figures.Add(Memory($"backups: memory above idle, {small} backed up and verified", first.Memory - idle));
        figures.Add(Memory($"backups: memory above idle, {large} backed up and verified", last.Memory - idle));
        figures.AddRange(await Restores(stock, ours, last.Id, sum, large, idle));
        // What is still to be written would make the server's end longer than anybody waits for it.
        foreach (var database in new[] { "small", "large" }) await stock.Ask("portal", $"drop database {database}");
        await stock.Settle();
        return figures;
    }

    /// <returns>Its size in words.</returns>
    static async Task<string> Target(StockTools stock, PortalBackups ours, string database, long bytes)
    {
        var size = await GeneratedShop.Make(stock, database, bytes);
        await ours.AddTarget(database, stock.Connection(database));
        return Size(size);
    }

    /// <returns>The last of ours, with the most memory of all, and the checksum of the last stock one.</returns>
    static async Task<(List<Figure> Figures, PortalBackups.Made Last, string Sum)> BackUps(StockTools stock, PortalBackups ours, string size)
    {
        var plan = await ours.AddPlan("large", Level, "Archive");
        var (made, piped, sum) = (new List<PortalBackups.Made>(), new List<double>(), "");
        for (var round = 0; round < Rounds; round++)
        {
            await stock.Settle();
            (sum, var took) = await stock.BackUp("large", Level);
            piped.Add(took.TotalSeconds);
            await stock.Settle();
            made.Add(await ours.BackUp(plan));
        }
        var making = made.Select(m => m.Making).ToList();
        return (
        [
            Figure.AtMostTimes($"backups: {size}, gzip {Level}, against pg_dump | gzip | openssl | sha256sum", Half(making), Half(piped), Times, " s"),
            Figure.Note("backups: each of them", Each(making), Each(piped)),
            Figure.Note($"backups: stored, of a dump of {Size(made[^1].Plain)}", Size(made[^1].Stored), Size(stock.BackupBytes)),
            Figure.Note("backups: verified afterwards: checksums, HMAC, archive to its end", $"{Half([.. made.Select(m => m.Verifying)]):0.0} s"),
        ], made[^1] with { Memory = made.Max(m => m.Memory) }, sum);
    }

    static async Task<IReadOnlyList<Figure>> Restores(StockTools stock, PortalBackups ours, string backup, string sum, string size, double idle)
    {
        var (restored, piped, rows) = (new List<PortalBackups.Restored>(), new List<StockTools.Restored>(), await stock.Count("large", GeneratedShop.Tables));
        for (var round = 0; round < Rounds; round++)
        {
            await stock.Settle();
            piped.Add(await stock.Restore(sum, "again", GeneratedShop.Tables));
            if (piped[^1].Rows != rows) throw new InvalidOperationException($"The stock tools restored {piped[^1].Rows} rows of {rows}.");
            await stock.Ask("portal", "drop database again");
            await stock.Settle();
            restored.Add(await ours.Restore(backup, "again"));
            await stock.Ask("portal", "drop database again");
        }
        return
        [
            Figure.AtMostTimes($"backups: {size} restored and counted, against sha256sum, openssl | gunzip | pg_restore, psql", Half([.. restored.Select(r => r.Whole)]), Half([.. piped.Select(r => r.Whole)]), Times, " s"),
            Figure.Note("backups: each of them", Each(restored.Select(r => r.Whole)), Each(piped.Select(r => r.Whole))),
            Figure.Note("backups: of which the check beforehand", Each(restored.Select(r => r.Checking)), Each(piped.Select(r => r.Checking))),
            Figure.Note("backups: of which pg_restore", Each(restored.Select(r => r.Restoring)), Each(piped.Select(r => r.Restoring))),
            Figure.Note("backups: of which the count of every table", Each(restored.Select(r => r.Counting)), Each(piped.Select(r => r.Counting))),
            Memory($"backups: memory above idle, {size} restored", restored.Max(r => r.Memory) - idle),
        ];
    }

    static Figure Memory(string name, double bytes) => Figure.AtMost(name, Math.Round(bytes / 1e6), MostMegabytes, " MB");

    /// <summary>The middle of them.</summary>
    static double Half(List<double> times) => (times.Order().ElementAt((times.Count - 1) / 2) + times.Order().ElementAt(times.Count / 2)) / 2;

    static string Each(IEnumerable<double> times) => string.Join(" / ", times.Select(t => t.ToString("0.0", CultureInfo.InvariantCulture))) + " s";

    static string Size(long bytes) => $"{bytes / 1e6:N0} MB";
}
