using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

public sealed class DatabaseAwayTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_the_database_is_stopped_or_hung_checks_go_on_and_afterwards_nothing_is_lost_or_doubled(bool hung)
    {
        await using (var db = database.Open())
            await db.Database.ExecuteSqlRawAsync("delete from monitors; delete from check_results; delete from outages; delete from live_nodes; update shard_leases set node = '', expires_at = clock_timestamp()");
        var monitor = await EngineRig.Add(database);
        using var line = new DatabaseLine(database.ConnectionString);
        await using var rig = await new EngineRig(database, connectionString: line.ConnectionString).Start();
        await rig.Until(async () => await Count() >= 2, "results");

        if (hung) line.Freeze(); else line.Cut();
        var (looks, stored) = (rig.Probe.Looks.Count, await Count());
        rig.Probe.Failing[monitor.Target] = true;
        await rig.Until(() => rig.Probe.Looks.Count >= looks + 4, "checks without a database");
        rig.Probe.Failing[monitor.Target] = false;
        await rig.Until(() => rig.Probe.Looks.Count >= looks + 7, "more checks without a database");
        Assert.InRange(await Count(), stored, stored + 1);
        await rig.Until(() => rig.Log.With("cannot reach the database").Count == 2, "words about it");
        Assert.Equal(0, await Outages(o => true));

        line.Mend();
        await rig.Until(async () => await Outages(o => o.To != null) == 1, "the outage that came and went meanwhile");
        await rig.Until(async () => await Count() >= stored + 7, "the results that waited");
        await using var after = database.Open();
        var outage = await after.Outages.AsNoTracking().SingleAsync();
        var checks = await after.Checks.AsNoTracking().OrderBy(c => c.At).ToListAsync();
        Assert.Equal(checks.First(c => c.Outcome == CheckOutcome.Down).At, outage.From);
        Assert.Equal(checks.First(c => c.At > outage.From && c.Outcome == CheckOutcome.Up).At, outage.To);
        Assert.All(checks.Zip(checks.Skip(1)), pair => Assert.InRange((pair.Second.At - pair.First.At).TotalSeconds, 4, 11));
        Assert.Single(checks.Select(c => c.Epoch).Distinct());
        Assert.Equal(0, rig.Engine.DroppedResults);
        Assert.Equal(MonitorHealth.Up, (await after.MonitorStates.SingleAsync()).Health);
        // Once when it went, once when it was back, however often it was asked in between.
        await rig.Until(() => rig.Log.With("reaches the database again, after").Count == 2, "words about its return");
        Assert.InRange(rig.Log.With("cannot reach the database").Count, 2, 3);
        Assert.DoesNotContain(rig.Log.All, l => l.Level > Microsoft.Extensions.Logging.LogLevel.Warning);
    }

    [Fact]
    public async Task A_node_that_starts_without_the_database_begins_when_it_comes()
    {
        var monitor = await EngineRig.Add(database, "https://later.example/");
        using var line = new DatabaseLine(database.ConnectionString);
        line.Cut();
        await using var rig = await new EngineRig(database, "node-late", connectionString: line.ConnectionString).Start();
        rig.Clock.FastForward(TimeSpan.FromSeconds(10));
        Assert.Empty(rig.Probe.Looks);
        line.Mend();
        await rig.Until(() => rig.Probe.Looks.Contains(monitor.Target), "a check");
    }

    async Task<int> Count()
    {
        await using var db = database.Open();
        return await db.Checks.CountAsync();
    }

    async Task<int> Outages(System.Linq.Expressions.Expression<Func<Outage, bool>> which)
    {
        await using var db = database.Open();
        return await db.Outages.CountAsync(which);
    }
}
