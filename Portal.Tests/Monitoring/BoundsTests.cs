using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Features.Monitoring.Engine;
using Portal.Tests.Support;

namespace Portal.Tests.Monitoring;

/// <summary>What is kept grows without end in neither the database nor, while that is away, in memory.</summary>
public sealed class BoundsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Without_a_database_the_oldest_results_beyond_the_bound_are_given_up_and_counted()
    {
        var monitor = await EngineRig.Add(database, "https://busy.example/", interval: 10);
        using var line = new DatabaseLine(database.ConnectionString);
        await using var rig = await new EngineRig(database, connectionString: line.ConnectionString, waiting: 5).Start();
        await rig.Until(async () => { await using var db = database.Open(); return await db.Checks.AnyAsync(c => c.MonitorId == monitor.Id); }, "a result");
        line.Cut();
        // One batch of five is in hand; behind it five wait.
        await rig.Until(() => rig.Engine.DroppedResults >= 3, "results given up", step: 5);
        Assert.InRange(rig.Engine.WaitingResults, 5, 10);
        line.Mend();
        await using var after = database.Open();
        await rig.Until(async () => await after.Checks.CountAsync(c => c.MonitorId == monitor.Id) == rig.Probe.Looks.Count - rig.Engine.DroppedResults, "everything else stored");
        await rig.Until(() => rig.Log.With("were given up meanwhile").Count == 1, "words about it");
    }
}
