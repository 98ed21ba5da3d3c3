using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>The rule of a plan over runs that succeed, fail and overlap with a change of it.</summary>
public sealed class RetentionJourneyTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    string shop = "";

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        shop = await node.Shop(500);
        await node.AddTarget.Execute(new("shop", node.Way(shop), null), Cast.Alice, default);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    async Task<PlanRequest> Request(Retention retention) =>
        new("Plan", (await node.Target("shop")).Id, [(await node.ConfiguredStore()).Id], "0 2 * * *", "Europe/Berlin", 1, VerificationLevel.Archive, retention, 15);

    async Task Succeeds(BackupPlanId plan)
    {
        var run = await node.Back("shop", plan);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
    }

    /// <summary>A slot with every attempt that it has.</summary>
    async Task Fails(BackupPlanId plan)
    {
        var run = await node.Back("shop", plan);
        while (run.State == RunState.Queued) run = await node.Again(run.Id);
        Assert.Equal(RunState.Failed, run.State);
    }

    async Task<IReadOnlyList<BackupState>> States() => [.. (await node.All()).Select(b => b.State)];

    IEnumerable<string> Manifests => node.Files.Where(f => f.EndsWith(".json", StringComparison.Ordinal));

    [Fact]
    public async Task While_every_backup_fails_the_old_ones_stay_and_once_they_succeed_again_the_rule_goes_on()
    {
        var plan = await node.CreatePlan.Execute(await Request(new(1, 0, 0, 0, 0, 2)), Cast.Alice, default);
        for (var i = 0; i < 3; i++) await Succeeds(plan);
        // They are of ten days ago, and half a day apart.
        await OddDatabase.Execute(database.ConnectionString, "update backups b set at = now() - interval '10 days' + n * interval '12 hours' from (select id, row_number() over (order by started_at) n from backups) o where o.id = b.id");
        Assert.Equal(3, Manifests.Count());

        // The store does not work, in four slots of three attempts each; then the database is not there in three.
        Directory.Move(node.Folder, node["away"]);
        await File.WriteAllTextAsync(node.Folder, "A file stands where the folder was.");
        for (var slot = 0; slot < 4; slot++) await Fails(plan);
        File.Delete(node.Folder);
        Directory.Move(node["away"], node.Folder);
        await OddDatabase.Execute(database.ConnectionString, $"alter database {shop} rename to {shop}_away");
        for (var slot = 0; slot < 3; slot++) await Fails(plan);
        Assert.Equal([BackupState.Kept, BackupState.Kept, BackupState.Kept], await States());
        Assert.Equal(3, Manifests.Count());
        await using (var db = database.Open())
        {
            var stands = await db.BackupPlans.AsNoTracking().SingleAsync(p => p.Id == plan);
            Assert.All(await node.Retention.Verdicts(stands, stands.Stores.Single(), default), v => Assert.True(v.IsKept));
        }

        await OddDatabase.Execute(database.ConnectionString, $"alter database {shop}_away rename to {shop}");
        await Succeeds(plan);
        Assert.Equal([BackupState.Deleted, BackupState.Deleted, BackupState.Deleted, BackupState.Kept], await States());
        Assert.Single(Manifests);
    }

    [Fact]
    public async Task A_rule_that_was_changed_during_a_backup_is_the_one_that_decides()
    {
        var plan = await node.CreatePlan.Execute(await Request(new(1, 0, 0, 0, 0, 0)), Cast.Alice, default);
        await Succeeds(plan);
        var id = await node.Queue.Execute(new("shop", plan), Cast.Alice, default);
        Task working;
        await using (await HeldTable.Hold(node.Way(shop), "orders"))
        {
            working = node.Rig.Work(id);
            await Soon.Comes(() => DatabasePrograms.On(shop).Count > 0, "the dump has begun");
            await new ChangePlan(database.Database, TimeProvider.System).Execute(plan, await Request(new(5, 0, 0, 0, 0, 0)), null, Cast.Alice, default);
        }
        await working;
        Assert.Equal([BackupState.Kept, BackupState.Kept], await States());
        Assert.Equal(2, Manifests.Count());
    }
}
