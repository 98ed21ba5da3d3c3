using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class RestoreJobTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    readonly BackupNode node = new(database);
    string shop = "", name = "";

    public async Task InitializeAsync()
    {
        await node.Clear();
        await node.Start();
        shop = await node.Shop(3_000);
        name = $"shop-{shop[^12..]}";
        await node.AddTarget.Execute(new(name, node.Way(shop), null), Cast.Alice, default);
    }

    public async Task DisposeAsync() => await node.DisposeAsync();

    async Task<Backup> Backed()
    {
        var run = await node.Back(name);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        return (await node.All()).Single(b => b.RunId == run.Id);
    }

    async Task<JobRun> Restored(Backup backup, string into, bool replace = false) => await node.Done(await node.QueueRestore.Execute(new(backup.Id, into, "RESTORE", replace), Cast.Alice, default));

    async Task<Restore> Record(JobRunId id)
    {
        await using var db = database.Open();
        return await db.Restores.AsNoTracking().SingleAsync(r => r.Id == id);
    }

    Task<object?> Ask(string into, string sql) => OddDatabase.Execute(node.Way(into), sql);

    [Fact]
    public async Task A_row_that_was_deleted_by_accident_comes_back_in_a_fresh_database_with_every_table_equal()
    {
        var backup = await Backed();
        await Ask(shop, "delete from orders where id = 1234");
        var copy = $"{shop}_copy";
        node.Forget(copy);
        var run = await Restored(backup, copy);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        Assert.Equal(1L, await Ask(copy, "select count(*) from orders where id = 1234"));
        Assert.Equal(0L, await Ask(shop, "select count(*) from orders where id = 1234"));
        var record = await Record(run.Id);
        Assert.True(record is { Differences: 0, Compared: > 0, KeptAs: null, IsSettled: true });
        Assert.Contains("orders", record.Report, StringComparison.Ordinal);
        Assert.Equal(VerificationLevel.Restored, (await node.All()).Single(b => b.Id == backup.Id).Level);
    }

    [Fact]
    public async Task A_database_that_exists_is_refused_unless_it_may_be_put_aside_and_then_both_are_there()
    {
        var backup = await Backed();
        await Ask(shop, "insert into orders values (999999, 'written after the backup')");
        var refused = await Restored(backup, shop);
        Assert.Equal(RunState.Failed, refused.State);
        Assert.Contains("exists already", refused.Error, StringComparison.Ordinal);

        // Somebody is connected to it, as programs are.
        await using var program = new Npgsql.NpgsqlConnection(node.Way(shop));
        await program.OpenAsync();
        var run = await Restored(backup, shop, replace: true);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        var kept = (await Record(run.Id)).KeptAs!;
        node.Forget(kept);
        Assert.StartsWith($"{shop}_before_", kept, StringComparison.Ordinal);
        Assert.Equal(0L, await Ask(shop, "select count(*) from orders where id = 999999"));
        Assert.Equal(1L, await Ask(kept, "select count(*) from orders where id = 999999"));
        Assert.Equal(0L, await OddDatabase.Execute(database.ConnectionString, "select count(*) from pg_database where datname like 'portal_restoring_%'"));
    }

    [Fact]
    public async Task An_application_whose_role_owned_the_tables_goes_on_working_after_its_database_was_replaced()
    {
        var app = $"app_{shop[^12..]}";
        await Ask(shop, $"create role {app}; alter table orders owner to {app}; create table notes (id serial primary key, text text); alter table notes owner to {app}; alter database {shop} owner to {app}; alter database {shop} set lock_timeout = '3s'");
        try
        {
            var backup = await Backed();
            var run = await Restored(backup, shop, replace: true);
            Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
            var record = await Record(run.Id);
            node.Forget(record.KeptAs!);
            Assert.Equal((3_001, "3s"), (await Ask(shop, $"set role {app}; insert into orders values (3001, 'after') returning id"), await Ask(shop, "show lock_timeout")));
            Assert.Equal(1, await Ask(shop, $"set role {app}; insert into notes (text) values ('after') returning id"));
            Assert.Equal(app, await OddDatabase.Execute(database.ConnectionString, $"select pg_get_userbyid(datdba)::text from pg_database where datname = '{shop}'"));
        }
        finally
        {
            foreach (var name in new[] { shop, (await OddDatabase.Execute(database.ConnectionString, $"select max(datname)::text from pg_database where datname like '{shop}_before_%'")) as string ?? "none" })
                await OddDatabase.Execute(database.ConnectionString, $"drop database if exists {name} with (force)");
            await OddDatabase.Execute(database.ConnectionString, $"drop role {app}");
        }
    }

    [Fact]
    public async Task A_table_of_many_rows_comes_back_with_all_of_them()
    {
        await Ask(shop, "insert into orders select n, md5(n::text) from generate_series(3001, 200000) n");
        var backup = await Backed();
        Assert.Equal(200_000L, backup.Rows);
        var copy = $"{shop}_many";
        node.Forget(copy);
        Assert.Equal(RunState.Succeeded, (await Restored(backup, copy)).State);
        Assert.Equal(await Ask(shop, "select md5(string_agg(note, '' order by id)) from orders"), await Ask(copy, "select md5(string_agg(note, '' order by id)) from orders"));
    }

    [Fact]
    public async Task A_database_that_is_gone_altogether_comes_back_under_its_name()
    {
        var backup = await Backed();
        await OddDatabase.Execute(database.ConnectionString, $"drop database {shop} with (force)");
        var run = await Restored(backup, shop);
        Assert.Equal((RunState.Succeeded, null), (run.State, run.Error));
        Assert.Equal(3_000L, await Ask(shop, "select count(*) from orders"));
    }

    [Fact]
    public async Task Of_two_restores_into_one_name_at_once_one_is_refused_also_across_portals()
    {
        var backup = await Backed();
        var into = $"{shop}_twice";
        node.Forget(into);
        // As another portal would: it holds the name on the server.
        var way = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString) { Password = "se;cr'et" };
        await using (var other = await RestoredDatabase.Claim(way.ConnectionString, into, TimeProvider.System, default))
        {
            // Whoever restores there must get in as well.
            Assert.Equal(way.Password, new Npgsql.NpgsqlConnectionStringBuilder(other.Server).Password);
            var run = await Restored(backup, into);
            Assert.Equal(RunState.Failed, run.State);
            Assert.Contains("Another restore", run.Error, StringComparison.Ordinal);
        }
        Assert.Equal(RunState.Succeeded, (await Restored(backup, into)).State);
    }

    [Fact]
    public async Task What_a_restore_left_whose_node_was_killed_is_taken_away_and_it_never_had_the_name()
    {
        var backup = await Backed();
        var into = $"{shop}_killed";
        var id = await node.QueueRestore.Execute(new(backup.Id, into, "RESTORE"), Cast.Alice, default);
        var half = Restore.UnfinishedName(id);
        await OddDatabase.Execute(database.ConnectionString, $"create database {half}");
        node.Forget(half);
        await node.Restores.ClearAway(id, default);
        Assert.Equal(0L, await OddDatabase.Execute(database.ConnectionString, $"select count(*) from pg_database where datname in ('{half}', '{into}')"));
        Assert.True((await Record(id)).IsSettled);
    }

    [Fact]
    public async Task The_database_that_the_portal_works_on_is_not_replaced_while_it_runs()
    {
        var run = await node.Back("portal");
        var backup = (await node.All()).Single(b => b.RunId == run.Id);
        var own = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;
        var restore = await Restored(backup, own, replace: true);
        Assert.Equal(RunState.Failed, restore.State);
        Assert.Contains("portal restore", restore.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nor_through_a_target_that_only_lies_on_the_same_server()
    {
        await using (var source = Database.Connect(database.ConnectionString))
        await using (var connection = await source.OpenConnectionAsync())
            await RecoveryEpoch.Run(connection, default);
        var own = new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString).Database!;
        var restore = await Restored(await Backed(), own, replace: true);
        Assert.Equal(RunState.Failed, restore.State);
        Assert.Contains("the portal works on", restore.Error, StringComparison.Ordinal);
        Assert.True((bool)(await OddDatabase.Execute(database.ConnectionString, "select count(*) > 0 from job_runs"))!);
    }

    [Theory]
    [InlineData("copy", "restore", "confirm")]
    [InlineData("copy", null, "confirm")]
    [InlineData("", "RESTORE", "into")]
    [InlineData("template1", "RESTORE", "into")]
    [InlineData("a name of a database that is much too long for a server to take it", "RESTORE", "into")]
    public async Task What_is_asked_for_wrongly_is_refused_by_its_field(string into, string? confirm, string field)
    {
        var backup = await Backed();
        var refusal = await Assert.ThrowsAsync<DomainException>(() => node.QueueRestore.Execute(new(backup.Id, into, confirm), Cast.Alice, default));
        Assert.Equal(field, refusal.Field);
        await Assert.ThrowsAsync<ForbiddenException>(() => node.QueueRestore.Execute(new(backup.Id, "copy", "RESTORE"), Cast.Bob, default));
    }
}
