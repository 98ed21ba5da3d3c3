using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>Processes that are frozen and killed while they back up, verify and restore. Every phase: <c>./bench faults-backups</c>.</summary>
[Collection(Nodes.Name)]
[Trait("Category", "Slow")]
public sealed class KilledNodesTests : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly TestDatabase database;
    readonly BackupNode node;
    readonly JobNodes nodes;
    readonly HeldBucket bucket = new(PortalProcess.FreePort());
    string shop = "";
    BackupStoreId folder, remote;
    BackupPlanId plan;

    public KilledNodesTests(TestDatabase database)
    {
        (this.database, node) = (database, new(database));
        nodes = new(database.ConnectionString, node["master.key"], new Dictionary<string, string> { ["Storage:Backups:Path"] = node.Folder });
    }

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        shop = await node.Shop(2_000);
        (folder, remote) = ((await node.ConfiguredStore()).Id, await node.AddBucket(bucket));
        // Whoever starts would try it, and leave a file when it is killed.
        await new ProbeStore(database.Database, node.Opening, TimeProvider.System).Execute(folder, Actor.System, default);
        var target = await node.AddTarget.Execute(new("shop", node.Way(shop), null), Cast.Alice, default);
        plan = await node.CreatePlan.Execute(new("Shop", target, [folder, remote], "0 2 * * *", "UTC", 1, VerificationLevel.Archive, Retention.Standard, 15), Cast.Alice, default);
        // Nothing comes by itself.
        await using var db = database.Open();
        await db.JobSchedules.ExecuteUpdateAsync(s => s.SetProperty(x => x.PausedAt, TimeProvider.System.GetUtcNow()));
    }

    public async Task DisposeAsync()
    {
        await nodes.DisposeAsync();
        await node.DisposeAsync();
        await bucket.DisposeAsync();
    }

    Task<JobRunId> Queue() => node.Queue.Execute(new("shop", plan), Cast.Alice, default);

    Task<JobRun> Comes(JobRunId id, Func<JobRun, bool> good, string what) => Soon.Reads(() => JobRig.Find(database, id), good, what);

    Task<JobRun> Works(JobRunId id, PortalProcess? on, string phase) =>
        Comes(id, r => r.State == RunState.Running && r.Phase == phase && (on is null || r.Node == JobNodes.NameOf(on)), $"{phase} on {(on is null ? "a node" : JobNodes.NameOf(on))}");

    [Fact]
    public async Task A_backup_of_a_frozen_or_killed_node_is_begun_again_and_there_once_and_a_restore_is_interrupted_and_leaves_nothing()
    {
        var both = await Task.WhenAll(nodes.Start(), nodes.Start());
        var left = await FrozenAndKilledWhileTheyBackUp(both[0], both[1]);
        left = await KilledWhileItVerifies(left);
        await KilledWhileItRestores(left);
    }

    async Task<PortalProcess> FrozenAndKilledWhileTheyBackUp(PortalProcess one, PortalProcess two)
    {
        var id = await Queue();
        PortalProcess frozen, killed;
        await using (await HeldTable.Hold(node.Way(shop), "orders"))
        {
            var began = await Works(id, null, "Backing up");
            (frozen, killed) = JobNodes.NameOf(one) == began.Node ? (one, two) : (two, one);
            await Soon.Comes(() => DatabasePrograms.On(shop).Count == 1 && node.Files.Any(f => f.EndsWith(".part", StringComparison.Ordinal)), "pg_dump waits, and its file is begun");
            frozen.Signal("STOP");
            try
            {
                await Works(id, killed, "Backing up");
            }
            finally
            {
                frozen.Signal("CONT");
            }
            await PortalProcess.Until(() => frozen.Output.Contains("what was done counts for nothing", StringComparison.Ordinal), "it discards its work", () => frozen.Output);
            killed.Signal("KILL");
            await Works(id, frozen, "Backing up");
        }
        await EndsWell(id, attempt: 3);
        return frozen;
    }

    async Task<PortalProcess> KilledWhileItVerifies(PortalProcess killed)
    {
        JobRunId id;
        PortalProcess next;
        using (var reading = bucket.Hold("GET", ".dump.gz.enc"))
        {
            id = await Queue();
            await Soon.Comes(() => reading.Waiting > 0, "the second store is read");
            await Works(id, killed, "Verifying");
            killed.Signal("KILL");
            next = await nodes.Start();
            await Works(id, next, "Verifying");
        }
        await EndsWell(id, attempt: 2);
        return next;
    }

    async Task KilledWhileItRestores(PortalProcess killed)
    {
        var backup = (await node.All()).Last(b => b.StoreId == remote);
        var whole = await Ask("select oid from pg_database where datname = current_database()");
        JobRunId id;
        using (var reading = bucket.Hold("GET", ".dump.gz.enc"))
        {
            id = await node.QueueRestore.Execute(new(backup.Id, shop, "RESTORE", Replace: true), Cast.Alice, default);
            await Works(id, killed, "Restoring");
            await Soon.Comes(async () => reading.Waiting > 0 && await Ask($"select count(*) from pg_database where datname = '{Restore.UnfinishedName(id)}'") is 1L, "the database is begun");
            killed.Signal("KILL");
            await nodes.Start();
            var run = await Comes(id, r => r.IsOver, "its end");
            Assert.Equal((RunState.Interrupted, 1), (run.State, run.Attempt));
            Assert.Contains($"Node {JobNodes.NameOf(killed)} ended in the midst of it", run.Error, StringComparison.Ordinal);
            await using var db = database.Open();
            await Soon.Comes(() => db.Restores.AnyAsync(r => r.Id == id && r.IsSettled && r.KeptAs == null), "the upkeep looks after it");
        }
        Assert.Equal(0L, await Ask($"select count(*) from pg_database where datname like 'portal_restoring_%' or datname like '{shop}_%'"));
        Assert.Equal((whole, 2_000L), (await Ask("select oid from pg_database where datname = current_database()"), await Ask("select count(*) from orders")));
        // What is queued is worked on; the restore stays where it is.
        await EndsWell(await Queue(), attempt: 1);
        var after = await JobRig.Find(database, id);
        Assert.Equal((RunState.Interrupted, 1), (after.State, after.Attempt));
    }

    Task<object?> Ask(string sql) => OddDatabase.Execute(node.Way(shop), sql);

    /// <summary>One backup in each store, each proven, and nothing else there or under way.</summary>
    async Task EndsWell(JobRunId id, int attempt)
    {
        var run = await Comes(id, r => r.IsOver, "its end");
        Assert.Equal((RunState.Succeeded, attempt, null), (run.State, run.Attempt, run.Error));
        var all = await node.All();
        Assert.Equal([folder, remote], all.Where(b => b.RunId == id).Select(b => b.StoreId));
        Assert.All(all, b => Assert.Equal((BackupState.Kept, VerificationLevel.Archive), (b.State, b.Level)));
        // The heads of the audit log lie beside them.
        Assert.Equal(await NamesIn(folder, all), node.Files.Where(f => !f.StartsWith("audit/", StringComparison.Ordinal)));
        Assert.Equal(await NamesIn(remote, all), bucket.Objects.Where(f => !f.StartsWith("audit/", StringComparison.Ordinal)));
        Assert.Empty(bucket.Begun);
        await Soon.Comes(() => DatabasePrograms.On(shop).Count == 0, "no pg_dump is left");
    }

    async Task<IEnumerable<string>> NamesIn(BackupStoreId store, IEnumerable<Backup> all)
    {
        await using var db = database.Open();
        var key = await db.BackupStores.Where(s => s.Id == store).Select(s => s.KeyId).SingleAsync();
        return all.Where(b => b.StoreId == store).SelectMany(b => new[] { ArtifactNames.Content(b.Id, ContentKind.Database), ArtifactNames.Manifest(b.Id) }).Append(ArtifactNames.SealedKey(key)).Order(StringComparer.Ordinal);
    }
}
