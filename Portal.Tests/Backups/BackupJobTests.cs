using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class BackupJobTests : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly TestDatabase database;
    readonly BackupNode node;
    string shop = "";

    public BackupJobTests(TestDatabase database)
    {
        this.database = database;
        node = new(database);
    }

    /// <summary>Each test has targets, stores and plans of its own.</summary>
    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        shop = await node.Shop(2_000);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    Task<BackupTargetId> AddShop(string name = "shop") => node.AddTarget.Execute(new(name, node.Way(shop), null), Cast.Alice, default);

    async Task<BackupPlanId> Plan(BackupTargetId target, Retention retention, params BackupStoreId[] stores) =>
        await node.CreatePlan.Execute(new("Plan", target, stores.Length > 0 ? stores : [(await node.ConfiguredStore()).Id], "0 2 * * *", "Europe/Berlin", 1, VerificationLevel.Archive, retention, 15), Cast.Alice, default);

    [Fact]
    public async Task The_portal_is_backed_up_from_the_first_start_on_and_the_backup_is_proven_to_its_end()
    {
        await node.Start();
        var run = await node.Back("portal");
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        var backup = Assert.Single(await node.All());
        Assert.Contains($"\"backup\":\"{backup.Id}\"", run.Result!.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal((BackupState.Kept, VerificationLevel.Archive, run.Id), (backup.State, backup.Level, backup.RunId!.Value));
        Assert.NotNull(backup.PlanId);
        Assert.True(backup.Tables > 30 && backup.StoredBytes > 10_000);
        var store = await node.ConfiguredStore();
        Assert.Equal([ArtifactNames.Content(backup.Id, ContentKind.Database), ArtifactNames.Manifest(backup.Id), ArtifactNames.SealedKey(store.KeyId)], node.Files);
        await using var db = database.Open();
        var schedule = await db.JobSchedules.SingleAsync();
        Assert.Equal(("17 * * * *", BackUp.Kind), (schedule.Cron, schedule.Kind));
    }

    [Fact]
    public async Task The_key_in_the_store_opens_with_the_master_key_alone_once_the_database_is_gone()
    {
        await node.Back("portal");
        var store = await node.ConfiguredStore();
        var found = await File.ReadAllBytesAsync(Path.Combine(node.Folder, ArtifactNames.SealedKey(store.KeyId)));
        var key = node.Opening.Key(store.KeyId, found);
        var backup = Assert.Single(await node.All());
        var manifest = await new ArtifactReader(new LocalStore(node.Folder)).Manifest(backup.Id, key, default);
        Assert.Equal(backup.Manifest, System.Text.Encoding.UTF8.GetString(manifest.CanonicalBytes()));
        Assert.Throws<BackupFailedException>(() => node.Opening.Key(new BackupKeyId(Guid.NewGuid()), found));
    }

    [Fact]
    public async Task A_store_that_fails_does_not_keep_the_others_from_their_backup_and_the_next_attempt_makes_only_what_is_missing()
    {
        var second = await node.AddStore.Execute(new("Second", new(node["second"], null)), Cast.Alice, default);
        var plan = await Plan(await AddShop(), Retention.Standard, (await node.ConfiguredStore()).Id, second);
        Directory.Delete(node["second"], recursive: true);
        await File.WriteAllTextAsync(node["second"], "A file stands where the folder was.");

        var run = await node.Back("shop", plan);
        Assert.Equal((RunState.Queued, 1), (run.State, run.Attempt));
        Assert.StartsWith("Second: ", run.Error, StringComparison.Ordinal);
        var first = Assert.Single(await node.All());
        Assert.Equal(BackupState.Kept, first.State);

        File.Delete(node["second"]);
        run = await node.Again(run.Id);
        Assert.Equal((RunState.Succeeded, 2), (run.State, run.Attempt));
        var all = await node.All();
        Assert.Equal(2, all.Count);
        Assert.Contains(all, b => b.Id == first.Id);
        Assert.Equal(2, all.Select(b => b.StoreId).Distinct().Count());
    }

    [Fact]
    public async Task What_cannot_be_helped_by_trying_again_ends_at_once_in_words()
    {
        await AddShop();
        await OddDatabase.Execute(database.ConnectionString, $"drop database {shop} with (force)");
        var run = await node.Back("shop");
        Assert.Equal((RunState.Failed, 1), (run.State, run.Attempt));
        Assert.Contains("does not exist", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", run.Error, StringComparison.Ordinal);
        Assert.Empty(await node.All());
        Assert.DoesNotContain(node.Files, f => f.StartsWith(ArtifactNames.Backups, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_was_taken_for_dead_publishes_nothing_when_it_comes_back()
    {
        await AddShop();
        var source = new JobRunId(Guid.NewGuid());
        // As a node stands that was frozen in the midst: content is being written, the row says so.
        await using var db = database.Open();
        var target = await db.BackupTargets.SingleAsync(t => t.Name == "shop");
        var settings = await node.ConfiguredStore();
        using var store = node.Opening.Open(settings);
        var reached = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        var backup = new Backup(Id.New<BackupId>(TimeProvider.System.GetUtcNow()), null, target, settings.Id, source, TimeProvider.System.GetUtcNow());
        db.Backups.Add(backup);
        await db.SaveChangesAsync();
        var order = new ArtifactWriter.Order(backup.Id, "shop", store.Key, 1, "0.1.0", BeforePublish: async ct =>
        {
            reached.SetResult();
            await go.Task;
            await node.Work.StillWanted(backup.Id, ct);
        });
        var writing = new ArtifactWriter(TimeProvider.System).Write(order, await node.Ways.Source(target, default), store.Place, BackupRig.Ignored, default);
        await reached.Task;
        Assert.Contains(ArtifactNames.Content(backup.Id, ContentKind.Database), node.Files);

        // The next attempt clears away what is left before it begins.
        await node.Work.RemoveLeftOvers(source, default);
        Assert.Empty(await node.All());
        go.SetResult();
        Assert.Equal(BackupFailure.Passing, (await Assert.ThrowsAsync<BackupFailedException>(() => writing)).Kind);
        Assert.DoesNotContain(node.Files, f => f.StartsWith(ArtifactNames.Backups, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_backup_whose_node_was_killed_after_the_manifest_is_whole_and_one_before_it_is_removed()
    {
        var run = await node.Back("portal");
        var whole = Assert.Single(await node.All());
        await using (var db = database.Open())
        {
            await db.Backups.ExecuteUpdateAsync(b => b.SetProperty(x => x.State, BackupState.Writing).SetProperty(x => x.Manifest, (string?)null));
            var target = await db.BackupTargets.SingleAsync();
            db.Backups.Add(new Backup(Id.New<BackupId>(TimeProvider.System.GetUtcNow()), null, target, whole.StoreId, run.Id, TimeProvider.System.GetUtcNow()));
            await db.SaveChangesAsync();
        }
        var half = (await node.All()).Single(b => b.Id != whole.Id);
        var partial = Path.Combine(node.Folder, "backups", $".{half.Id}.dump.gz.enc.part");
        await File.WriteAllTextAsync(partial, "half");

        foreach (var left in await node.All()) await node.Work.Settle(left.Id, default);
        var kept = Assert.Single(await node.All());
        Assert.Equal((whole.Id, BackupState.Kept, whole.StoredBytes), (kept.Id, kept.State, kept.StoredBytes));
        Assert.NotNull(kept.Manifest);
        Assert.False(File.Exists(partial));
    }

    [Fact]
    public async Task The_retention_deletes_from_the_store_what_it_lets_go_and_never_what_is_held_or_pinned()
    {
        var plan = await Plan(await AddShop(), new(2, 0, 0, 0, 0, 0));
        for (var i = 0; i < 4; i++) Assert.Equal(RunState.Succeeded, (await node.Back("shop", plan)).State);
        var all = await node.All();
        Assert.Equal([BackupState.Deleted, BackupState.Deleted, BackupState.Kept, BackupState.Kept], all.Select(b => b.State));
        Assert.All(all.Take(2), b => Assert.True(b.IsGone));
        Assert.All(all, b => Assert.Equal(b.State == BackupState.Kept, node.Files.Contains(ArtifactNames.Manifest(b.Id))));
        Assert.All(all, b => Assert.Equal(b.State == BackupState.Kept, node.Files.Contains(ArtifactNames.Content(b.Id, ContentKind.Database))));

        // One is kept on purpose; one is read by a run that is not over.
        await new PinBackup(database.Database, TimeProvider.System).Execute(all[2].Id, true, Cast.Alice, default);
        var restore = await node.QueueRestore.Execute(new(all[3].Id, "shop_copy", "RESTORE"), Cast.Alice, default);
        for (var i = 0; i < 3; i++) await node.Back("shop", plan);
        var states = (await node.All()).ToDictionary(b => b.Id, b => b.State);
        Assert.Equal((BackupState.Kept, BackupState.Kept), (states[all[2].Id], states[all[3].Id]));
        Assert.Contains("reads this backup", (await Assert.ThrowsAsync<DomainException>(() => new DeleteBackup(database.Database, TimeProvider.System).Execute(all[3].Id, Cast.Alice, default))).Message, StringComparison.Ordinal);
        await using (var db = database.Open()) (await db.JobRuns.SingleAsync(r => r.Id == restore)).Cancel(Cast.Alice, TimeProvider.System.GetUtcNow());
        await using (var db = database.Open()) await db.JobRuns.Where(r => r.Id == restore).ExecuteUpdateAsync(r => r.SetProperty(x => x.State, RunState.Cancelled).SetProperty(x => x.EndedAt, TimeProvider.System.GetUtcNow()));
        await node.Back("shop", plan);
        Assert.Equal(BackupState.Deleted, (await node.All()).Single(b => b.Id == all[3].Id).State);
    }

    [Fact]
    public async Task Damage_is_found_by_verification_marked_and_keeps_the_backup_from_being_used()
    {
        var run = await node.Back("portal");
        var backup = Assert.Single(await node.All());
        var file = Path.Combine(node.Folder, ArtifactNames.Content(backup.Id, ContentKind.Database));
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        var verification = await node.Done(await new VerifyBackup(database.Database, new VerifyBackups(node.Work), TimeProvider.System).Execute(backup.Id, Cast.Alice, default));
        Assert.Equal(RunState.Failed, verification.State);
        Assert.Contains("must not be used", verification.Error, StringComparison.Ordinal);
        backup = Assert.Single(await node.All());
        Assert.NotNull(backup.Damage);
        var refusal = await Assert.ThrowsAsync<DomainException>(() => node.QueueRestore.Execute(new(backup.Id, "portal_copy", "RESTORE"), Cast.Alice, default));
        Assert.Equal("backup", refusal.Field);

        // Put right again, it is good again.
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        Assert.Equal(RunState.Succeeded, (await node.Done(await new VerifyBackup(database.Database, new VerifyBackups(node.Work), TimeProvider.System).Execute(backup.Id, Cast.Alice, default))).State);
        Assert.Null(Assert.Single(await node.All()).Damage);
        Assert.NotEqual(run.Id, verification.Id);
    }

    [Fact]
    public async Task A_directory_is_backed_up_and_comes_back_equal()
    {
        Directory.CreateDirectory(node["vectors/inner"]);
        await File.WriteAllTextAsync(node["vectors/inner/a"], "one");
        await node.AddTarget.Execute(new("vectors", null, node["vectors"]), Cast.Alice, default);
        var made = await node.Back("vectors");
        Assert.Equal((RunState.Succeeded, null), (made.State, made.Error));
        var backup = Assert.Single(await node.All());
        Assert.Equal((ContentKind.Directory, 1), (backup.Kind, backup.Rows));
        var into = node["restored"];
        var restored = await node.Done(await node.QueueRestore.Execute(new(backup.Id, into, "RESTORE"), Cast.Alice, default));
        Assert.Equal((RunState.Succeeded, null), (restored.State, restored.Error));
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(into, "inner/a")));
        var again = await node.Done(await node.QueueRestore.Execute(new(backup.Id, into, "RESTORE"), Cast.Alice, default));
        Assert.Equal(RunState.Failed, again.State);
        Assert.Contains("holds something already", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_configuration_that_names_another_place_makes_another_store_and_plans_write_to_it()
    {
        var before = await node.ConfiguredStore();
        await node.Back("portal");
        await using var elsewhere = new BackupNode(database, configuration: new Dictionary<string, string> { ["Storage:Backups:Path"] = node["elsewhere"] });
        await elsewhere.Start();
        await elsewhere.Start();
        var now = await elsewhere.ConfiguredStore();
        Assert.NotEqual(before.Id, now.Id);
        await using var db = database.Open();
        Assert.Equal(2, await db.BackupStores.CountAsync());
        Assert.Equal([now.Id.Value], (await db.BackupPlans.SingleAsync()).StoreIds);
        Assert.Equal(before.Id, Assert.Single(await node.All()).StoreId);
    }
    [Fact]
    public async Task The_default_store_of_the_first_node_is_that_of_all_while_one_of_them_lives_and_follows_the_data_folder_afterwards()
    {
        var first = await node.ConfiguredStore();
        await OddDatabase.Execute(database.ConnectionString, "delete from live_nodes; insert into live_nodes (name, expires_at, steady_since) values ('node-a', now() + interval '1 minute', now())");
        await using var second = new BackupNode(database);
        // Another machine has no such folder.
        Assert.False(Directory.Exists(first.Place.Folder));
        Assert.NotEqual(first.Place, second.Options.Backups.Place);
        await second.Start();
        Assert.Equal((first.Id, first.Place), ((await node.ConfiguredStore()).Id, (await node.ConfiguredStore()).Place));
        await OddDatabase.Execute(database.ConnectionString, "delete from live_nodes");
        await second.Start();
        var moved = await node.ConfiguredStore();
        Assert.Equal(second.Options.Backups.Place, moved.Place);
        await using var db = database.Open();
        Assert.Equal([moved.Id.Value], (await db.BackupPlans.SingleAsync()).StoreIds);
    }
}
