using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>What was committed and never confirmed, because the connection broke in between: it is neither lost nor done twice.</summary>
public sealed class LostAnswersTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    public async Task InitializeAsync()
    {
        await using var db = database.Open();
        await db.Database.ExecuteSqlRawAsync("delete from monitors; delete from check_results; delete from outages; delete from observation_gaps; delete from live_nodes; update shard_leases set node = '', expires_at = clock_timestamp()");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    async Task<T> Read<T>(Func<Infrastructure.Persistence.PortalDbContext, Task<T>> query)
    {
        await using var db = database.Open();
        return await query(db);
    }

    [Theory]
    [InlineData("order by shard limit")]
    [InlineData("as mine(shard, epoch)")]
    public async Task A_claim_or_renewal_of_shards_whose_answer_is_lost_ends_with_every_shard_run_under_the_epoch_that_stands(string words)
    {
        using var line = new DatabaseLine(database.ConnectionString);
        line.LoseAnswerTo(words);
        await using var rig = await new EngineRig(database, leaseSeconds: 1, connectionString: line.ConnectionString).Start();
        await rig.Until(() => line.Lost == 1, "the lost answer");
        await rig.Until(async () =>
        {
            var stands = await Read(db => db.ShardLeases.AsNoTracking().Where(l => l.Node == "node-a").ToDictionaryAsync(l => l.Shard, l => l.Epoch));
            return stands.Count == MonitorId.ShardCount && stands.All(l => rig.Engine.Held.GetValueOrDefault(l.Key) == l.Value);
        }, "every shard held under the epoch that stands");
        var monitor = await EngineRig.Add(database, "https://claimed.example/");
        await rig.Until(() => Read(db => db.Checks.AnyAsync(c => c.MonitorId == monitor.Id)), "a result that the fence lets through");
    }

    [Fact]
    public async Task An_outage_that_began_and_ended_with_lost_commits_stands_once_and_whole()
    {
        var monitor = await EngineRig.Add(database, "https://flaky.example/");
        using var line = new DatabaseLine(database.ConnectionString);
        await using var rig = await new EngineRig(database, connectionString: line.ConnectionString).Start();
        await rig.Until(() => Read(db => db.Checks.AnyAsync(c => c.MonitorId == monitor.Id)), "a result");
        for (var round = 1; round <= 2; round++)
        {
            line.LoseCommitAfter("INSERT INTO outages");
            rig.Probe.Failing[monitor.Target] = true;
            await rig.Until(() => line.Lost == 2 * round - 1, "the lost commit of its beginning");
            Assert.Equal(round, await Read(db => db.Outages.CountAsync()));
            line.LoseCommitAfter("UPDATE outages");
            rig.Probe.Failing[monitor.Target] = false;
            await rig.Until(() => line.Lost == 2 * round, "the lost commit of its end");
            var looks = rig.Probe.Looks.Count;
            await rig.Until(() => rig.Probe.Looks.Count >= looks + 3, "checks after it");
            await rig.Until(() => Read(db => db.MonitorStates.AnyAsync(s => s.MonitorId == monitor.Id && s.Health == MonitorHealth.Up)), "its good health");
            Assert.Equal(round, await Read(db => db.Outages.CountAsync(o => o.To != null)));
        }
        var outages = await Read(db => db.Outages.AsNoTracking().OrderBy(o => o.From).ToListAsync());
        var checks = await Read(db => db.Checks.AsNoTracking().OrderBy(c => c.At).ToListAsync());
        Assert.Equal(2, outages.Count);
        Assert.All(outages, o => Assert.Equal((CheckOutcome.Down, CheckOutcome.Up), (checks.Single(c => c.At == o.From).Outcome, checks.Single(c => c.At == o.To).Outcome)));
        Assert.True(outages[0].To < outages[1].From);
    }

    [Fact]
    public async Task Results_whose_commit_is_not_confirmed_are_stored_once()
    {
        var monitor = await EngineRig.Add(database, "https://calm.example/");
        using var line = new DatabaseLine(database.ConnectionString);
        line.LoseCommitAfter("copy check_results");
        await using var rig = await new EngineRig(database, connectionString: line.ConnectionString).Start();
        await rig.Until(() => line.Lost == 1, "the lost commit");
        await rig.Until(() => rig.Probe.Looks.Count >= 4, "more checks");
        await rig.Until(async () => await Read(db => db.Checks.CountAsync(c => c.MonitorId == monitor.Id)) == rig.Probe.Looks.Count, "each look stored once");
        Assert.Equal(0, rig.Engine.DroppedResults);
    }
}
