using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>What is read of the catalogue's rows, and how long they stay.</summary>
public sealed class BackupCatalogueTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        Assert.Equal(RunState.Succeeded, (await node.Back("portal")).State);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    Task<object?> Sql(string sql) => OddDatabase.Execute(database.ConnectionString, sql);

    [Fact]
    public async Task A_list_reads_all_of_a_backup_but_its_manifest()
    {
        await Sql($"update backups set kind = 'Directory', damage = 'D', deleted_because = 'B', deleted_at = now(), data_at = now(), restored_at = now(), is_pinned = true, is_gone = true, held_by = '{Guid.NewGuid()}'");
        await using var db = database.Open();
        var (whole, listed) = (await db.Backups.AsNoTracking().SingleAsync(), await db.Backups.Select(Backup.Listed).SingleAsync());
        foreach (var property in typeof(Backup).GetProperties().Where(p => p.GetMethod is { IsStatic: false } && p.Name != nameof(Backup.Manifest)))
        {
            Assert.NotEqual(property.PropertyType.IsValueType ? Activator.CreateInstance(property.PropertyType) : null, property.GetValue(whole));
            Assert.Equal((property.Name, property.GetValue(whole)), (property.Name, property.GetValue(listed)));
        }
        Assert.NotNull(whole.Manifest);
        Assert.Null(listed.Manifest);
    }

    [Fact]
    public async Task Lists_screens_and_the_upkeep_work_without_the_column_that_holds_the_manifest()
    {
        var backup = Assert.Single(await node.All());
        var list = new BackupList(database.Database);
        await node.QueueRestore.Execute(new(backup.Id, "copy", "RESTORE"), Cast.Alice, default);
        Assert.Contains(await list.LoadTables(backup.Id, Cast.Alice, default), t => t.Name == "backups");
        // A query that names it fails.
        await Sql("alter table backups rename column manifest to hidden");
        try
        {
            Assert.Equal(backup.Id, Assert.Single(await list.Load(new(), null, 10, Cast.Alice, default)).Backup.Id);
            Assert.Empty(await list.Load(new(), backup.Id, 10, Cast.Alice, default));
            Assert.Equal(backup.StoredBytes, (await list.LoadOne(backup.Id, Cast.Alice, default)).Backup.StoredBytes);
            Assert.Equal(backup.Id, Assert.Single(await new PlanList(database.Database, TimeProvider.System).Load(Cast.Alice, default)).Last!.Id);
            Assert.Single(await new RestoreList(database.Database).Load(backup.Id, null, 10, Cast.Alice, default));
            Assert.Equal(1, Assert.Single((await new BackupPlaces(database.Database).Load(Cast.Alice, default)).Stores).Backups);
            await using (var db = database.Open()) Assert.Single(await ApplyRetention.Kept(db, backup.PlanId!.Value, backup.StoreId, default));
            await new BackupNews(database.Database, new([node.BackUp, node.Restores, new VerifyBackups(node.Work)]), TimeProvider.System).Tell(default);
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => list.LoadTables(backup.Id, Cast.Alice, default));
        }
        finally
        {
            await Sql("alter table backups rename column hidden to manifest");
        }
    }

    [Fact]
    public async Task Rows_of_what_is_gone_are_removed_after_400_days_unless_a_restore_needs_them()
    {
        for (var i = 0; i < 4; i++) await node.Back("portal");
        var all = await node.All();
        var (old, young, there, restored, kept) = (all[0].Id, all[1].Id, all[2].Id, all[3].Id, all[4].Id);
        await node.QueueRestore.Execute(new(restored, "copy", "RESTORE"), Cast.Alice, default);
        string Deleted(BackupId id, int days, bool gone) => $"update backups set state = 'Deleted', deleted_at = now() - interval '{days} days', is_gone = {gone} where id = '{id.Value}'";
        await Sql($"{Deleted(old, 401, true)}; {Deleted(young, 399, true)}; {Deleted(there, 401, false)}; {Deleted(restored, 401, true)}");
        Assert.Equal(1, await node.Retention.Forget(default));
        Assert.Equal([young, there, restored, kept], (await node.All()).Select(b => b.Id));
        Assert.Equal(0, await node.Retention.Forget(default));
    }
}
