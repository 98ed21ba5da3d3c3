using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Infrastructure;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.DemoData;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Persistence;

public sealed class MigratorTests : IAsyncLifetime
{
    readonly Migrator migrator = new(NullLogger<Migrator>.Instance);
    string connection = "";
    NpgsqlDataSource source = null!;
    int copies;

    public async Task InitializeAsync()
    {
        connection = await PostgresServer.Empty();
        source = Database.Connect(connection);
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await PostgresServer.Drop(connection);
    }

    Task Up(NpgsqlDataSource to) => migrator.Up(to, KeepCopy, (_, _) => Task.CompletedTask, default);

    Task KeepCopy(CancellationToken ct)
    {
        Interlocked.Increment(ref copies);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task Two_nodes_that_start_at_once_migrate_an_empty_database_once_and_without_a_copy()
    {
        await using var other = Database.Connect(connection);
        await Task.WhenAll(Task.Run(() => Up(source)), Task.Run(() => Up(other)));
        var state = await State();
        Assert.Empty(state.Pending);
        Assert.Equal(state.Applied.Count, state.Applied.Distinct().Count());
        Assert.Equal(0, copies);
    }

    [Fact]
    public async Task A_copy_is_kept_before_an_existing_database_is_changed_and_only_then()
    {
        await Execute("create table older (n int)");
        object? seen = null;
        await migrator.Up(source, async _ => seen = await Scalar("select count(*) from pg_tables where schemaname = 'public'"), (_, _) => Task.CompletedTask, default);
        Assert.Equal(1L, seen);
        await Up(source);
        Assert.Equal(0, copies);
    }

    [Fact]
    public async Task Without_a_copy_nothing_is_changed()
    {
        await Execute("create table older (n int)");
        await Assert.ThrowsAsync<CannotStartException>(() => migrator.Up(source, _ => throw new CannotStartException("the disk is full"), (_, _) => Task.CompletedTask, default));
        Assert.Equal(1L, await Scalar("select count(*) from pg_tables where schemaname = 'public'"));
        await Up(source);
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        await Up(source);
        await Execute("insert into \"__EFMigrationsHistory\" values ('29990101000000_Future', '99')");
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => Up(source));
        Assert.Contains("29990101000000_Future", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_way_down_works_on_data_and_the_way_up_again_ends_in_the_same_schema()
    {
        await Up(source);
        await using (var database = new Database())
        {
            database.Open(Database.Connect(connection));
            await new DemoData(database, TimeProvider.System).Fill(default);
        }
        var (schema, all) = (await Schema(), (await State()).Applied);
        // One step back and up again, for each migration from the newest to the oldest.
        for (var i = all.Count - 1; i >= 0; i--)
        {
            var target = i == 0 ? "0" : all[i - 1];
            var undone = await migrator.Down(source, target, KeepCopy, default);
            Assert.Equal(all.Skip(i).Reverse(), undone);
            Assert.Equal(all.Take(i), (await State()).Applied);
            if (i > 0) Assert.NotEqual(0L, await Scalar("select count(*) from incidents"));
            else Assert.Equal(0L, await Scalar("select count(*) from pg_tables where schemaname = 'public' and tablename <> '__EFMigrationsHistory'"));
            await Up(source);
            Assert.Equal(schema, await Schema());
        }
        Assert.True(copies > 0);
    }

    [Fact]
    public async Task An_update_shows_customers_the_charts_that_it_showed_before_and_a_way_down_and_up_those_that_were_chosen()
    {
        await Up(source);
        await using (var database = new Database())
        {
            database.Open(Database.Connect(connection));
            await new DemoData(database, TimeProvider.System).Fill(default);
        }
        const string titles = "select coalesce(string_agg(m.public_chart, '|' order by g.position, c.position), '') from monitors m join components c on c.id = m.component_id join component_groups g on g.id = c.group_id";
        await Execute("update monitors set public_chart = case when name like 'Payouts%' then 'Only this' end");
        var before = (await State()).Applied.TakeWhile(m => !m.EndsWith("_PublicCharts", StringComparison.Ordinal)).Last();
        await migrator.Down(source, before, KeepCopy, default);
        await Up(source);
        Assert.Equal("Only this", await Scalar(titles));
        Assert.Equal(0L, await Scalar("select count(*) from settings where key = 'monitors.public-charts'"));

        // A database that never knew of a choice.
        await migrator.Down(source, before, KeepCopy, default);
        await Execute("delete from settings where key = 'monitors.public-charts'; update monitors set name = E'Card\npayment' where name like 'Card payment%'");
        await Up(source);
        Assert.Equal("Web app, front page|Sign-in, test account|Search, a common query|Card payment|Payouts, next batch|Public API, GET /bookings", await Scalar(titles));
    }

    [Fact]
    public async Task Tags_and_what_an_import_can_take_back_survive_a_way_down()
    {
        await Up(source);
        await using (var database = new Database())
        {
            database.Open(Database.Connect(connection));
            await new DemoData(database, TimeProvider.System).Fill(default);
        }
        await Execute("""
            insert into monitor_imports values (gen_random_uuid(), now(), 'Bob', 'a.csv', 'Csv', '\x0102', 1, 1, null, null);
            insert into imported_monitors select id, id, 'One', case n when 1 then null else '{"name":"One"}'::jsonb end, n = 1, '["X-Key"]', case n when 1 then null else '\x03'::bytea end from monitor_imports, generate_series(1, 1) n;
            """);
        const string all = "select (select string_agg(name || tags::text, '|' order by id) from monitors) || (select string_agg(i::text, '|') from monitor_imports i) || (select string_agg(m::text, '|') from imported_monitors m)";
        var before = await Scalar(all);
        Assert.Contains("team:payments", Assert.IsType<string>(before), StringComparison.Ordinal);
        await migrator.Down(source, (await State()).Applied.TakeWhile(m => !m.EndsWith("_TagsAndImports", StringComparison.Ordinal)).Last(), KeepCopy, default);
        await Up(source);
        Assert.Equal(before, await Scalar(all));
        Assert.Equal(0L, await Scalar("select count(*) from settings where key in ('monitors.tags', 'monitors.imports')"));
    }

    [Fact]
    public async Task The_evidence_of_drills_survives_a_way_down_letter_by_letter()
    {
        await Up(source);
        await Execute("""
            insert into backup_targets (id, name, kind, place, created_at, has_canary) values (gen_random_uuid(), 'portal', 'Portal', 'own', now(), true);
            insert into drills (id, scenario, target_id, target_name, requested_by, started_at, ended_at, outcome, recovery_objective, loss_objective, recovery, loss, is_loss_by_canary, lessons, writer_ids)
                select gen_random_uuid(), 'DatabaseLost', id, name, 'Portal', now(), now(), 'Passed', '1 h', '15 min', '4 min 0.123 s', '1 min', true, E'One\nTwo', array[gen_random_uuid()] from backup_targets;
            insert into drill_checks select gen_random_uuid(), id, 'Check', 'select 1', 'IsTrue', null, now() from backup_targets;
            insert into drill_actions select gen_random_uuid(), id, target_id, 'Buy a disk', 'Bob', now(), 'Alice', null, null, null, null from drills;
            insert into drill_evidence select 1, id, 'Record', now(), '{"b":1,  "a":"\u00e9ü\n"}', '\x00', '\x0102ff' from drills;
            """);
        const string all = "select (select string_agg(d::text, '|') from drills d) || (select string_agg(c::text, '|') from drill_checks c) || (select string_agg(a::text, '|') from drill_actions a) || (select string_agg(e::text, '|') from drill_evidence e)";
        var before = Assert.IsType<string>(await Scalar(all));
        await migrator.Down(source, (await State()).Applied.TakeWhile(m => !m.EndsWith("_Drills", StringComparison.Ordinal)).Last(), KeepCopy, default);
        await Up(source);
        Assert.Equal(before, await Scalar(all));
        Assert.Equal(0L, await Scalar("select count(*) from settings where key = 'drills.kept'"));
        Assert.True((bool)(await Scalar("select has_canary from backup_targets"))!);
    }

    [Fact]
    public async Task Down_to_what_was_never_applied_is_refused_and_names_what_there_is()
    {
        await Up(source);
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => migrator.Down(source, "Nonsense", KeepCopy, default));
        Assert.Contains("_Foundation", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, copies);
    }

    async Task<MigrationState> State()
    {
        await using var db = new PortalDbContext(Database.OptionsFor(source));
        return await Migrator.State(db, default);
    }

    /// <summary>What pg_dump says of the schema, without what names this one run of it.</summary>
    async Task<string> Schema()
    {
        var to = new NpgsqlConnectionStringBuilder(connection);
        var passwords = Path.Combine(Path.GetTempPath(), $"portal-pgpass-{Environment.ProcessId}");
        PrivateFile.Write(passwords, $"*:*:*:*:{to.Password}\n");
        var dumped = await Programs.Run([PostgresBinaries.Installed()[0]["pg_dump"], "--schema-only", $"--host={to.Host}", $"--port={to.Port}", $"--username={to.Username}", to.Database!],
            default, new Dictionary<string, string> { ["PGPASSFILE"] = passwords });
        Assert.True(dumped.Ok, dumped.Words);
        return string.Join('\n', dumped.Output.Split('\n').Where(l => !l.StartsWith('\\')));
    }

    async Task Execute(string sql) => await Scalar(sql);

    async Task<object?> Scalar(string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
