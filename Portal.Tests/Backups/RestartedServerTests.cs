using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Backups;
using Portal.Tests.Jobs;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>The server of what is backed up and restored is started anew in the midst of it.</summary>
public sealed class RestartedServerTests(TestDatabase database, OwnPostgres server) : IClassFixture<TestDatabase>, IClassFixture<OwnPostgres>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    readonly string shop = $"shop_{Guid.CreateVersion7():N}";
    HeldRestore waits = null!;

    string Way => new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = shop, Pooling = false }.ConnectionString;

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        await OddDatabase.Execute(server.ConnectionString, $"create database {shop}");
        await OddDatabase.Execute(Way, "create table orders as select n as id from generate_series(1, 2000) n");
        waits = await HeldRestore.Plant(Way);
        await node.AddTarget.Execute(new("shop", Way, null), Cast.Alice, default);
    }

    public async Task DisposeAsync()
    {
        await waits.DisposeAsync();
        await node.DisposeAsync();
    }

    Task<object?> Ask(string sql) => OddDatabase.Execute(server.ConnectionString, sql);

    static void IsInWords(JobRun run)
    {
        Assert.Matches("terminating connection|connection (to the server )?was lost|server closed the connection|stopping, starting or full", run.Error);
        Assert.DoesNotContain("Exception", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fast")]
    [InlineData("immediate")]
    public async Task A_backup_ends_in_words_leaves_nothing_and_its_next_attempt_is_whole(string mode)
    {
        var id = await node.Queue.Execute(new("shop"), Cast.Alice, default);
        Task working;
        await using (await HeldTable.Hold(Way, "orders"))
        {
            working = node.Rig.Work(id);
            await Soon.Comes(async () => await Ask("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'portal backup'") is 2L, "pg_dump and the count wait for the table");
            await server.Restart(mode);
        }
        await working;
        var run = await JobRig.Find(database, id);
        Assert.Equal((RunState.Queued, 1), (run.State, run.Attempt));
        IsInWords(run);
        Assert.Empty(await node.All());
        Assert.DoesNotContain(node.Files, f => f.Contains("backups/", StringComparison.Ordinal));
        Assert.Empty(DatabasePrograms.On(shop));

        run = await node.Again(id);
        Assert.Equal((RunState.Succeeded, 2, null), (run.State, run.Attempt, run.Error));
        var backup = Assert.Single(await node.All());
        Assert.Equal((BackupState.Kept, 2_000L), (backup.State, backup.Rows));
    }

    /// <param name="isRead">Whether it has come no further than to read what is stored.</param>
    [Theory]
    [InlineData("fast", true)]
    [InlineData("immediate", true)]
    [InlineData("fast", false)]
    public async Task A_restore_ends_in_words_is_not_begun_again_and_the_database_that_it_was_to_replace_is_whole(string mode, bool isRead)
    {
        await using var bucket = new HeldBucket(PortalProcess.FreePort());
        var backup = await Backed(await node.AddBucket(bucket));
        var whole = await Ask($"select oid from pg_database where datname = '{shop}'");
        var id = await node.QueueRestore.Execute(new(backup.Id, shop, "RESTORE", Replace: true), Cast.Alice, default);
        Task working;
        if (isRead)
            using (var reading = bucket.Hold("GET", ArtifactNames.Content(backup.Id, ContentKind.Database)))
            {
                working = node.Rig.Work(id);
                await Soon.Comes(() => reading.Waiting > 0, "the backup is read");
                await server.Restart(mode);
            }
        else
        {
            await waits.Begin();
            working = node.Rig.Work(id);
            await Soon.Comes(async () => await waits.Waiting() is not null, "pg_restore works");
            await server.Restart(mode);
        }
        await working;
        var run = await JobRig.Find(database, id);
        Assert.Equal((RunState.Failed, 1), (run.State, run.Attempt));
        IsInWords(run);
        await node.Restores.ClearAway(id, default);
        Assert.Equal(0L, await Ask($"select count(*) from pg_database where datname like 'portal_restoring_%' or datname like '{shop}_%'"));
        Assert.Equal((whole, 2_000L), (await Ask($"select oid from pg_database where datname = '{shop}'"), await OddDatabase.Execute(Way, "select count(*) from orders")));
        await using var db = database.Open();
        Assert.True(await db.Restores.AnyAsync(r => r.Id == id && r.IsSettled && r.KeptAs == null));
    }

    async Task<Backup> Backed(BackupStoreId store)
    {
        var target = (await node.Target("shop")).Id;
        var plan = await node.CreatePlan.Execute(new("Shop", target, [store], "0 2 * * *", "UTC", 1, VerificationLevel.Stored, Retention.Standard, 15), Cast.Alice, default);
        var run = await node.Back("shop", plan);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        return Assert.Single(await node.All());
    }
}
