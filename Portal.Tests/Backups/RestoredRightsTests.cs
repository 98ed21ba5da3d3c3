using System.Text;
using Bunit;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Features.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

/// <summary>An application has a role of its own; the account that backs up and restores is a member of it, and no superuser.</summary>
public sealed class RestoredRightsTests : IAsyncLifetime
{
    static int count;
    readonly string mark = $"{Environment.ProcessId}_{Interlocked.Increment(ref count)}";
    readonly BackupRig rig = new();
    PostgresTools tools = null!;
    string admin = "", source = "";

    string App => $"app \"{mark}\"";
    string Other => $"other_{mark}";
    string Reader => $"reader_{mark}";
    string Keeper => $"keeper_{mark}";
    string Fresh => $"given_{mark}";

    static string Q(string name) => ContentsComparison.Quoted(name);

    string Way(string database, string? user = null) => new NpgsqlConnectionStringBuilder(admin) { Database = database, Username = user ?? new NpgsqlConnectionStringBuilder(admin).Username, Pooling = false }.ConnectionString;

    public async Task InitializeAsync()
    {
        tools = await PostgresTools.Find(default);
        admin = await PostgresServer.Empty();
        source = new NpgsqlConnectionStringBuilder(admin).Database!;
        await OddDatabase.Execute(admin, $"""
            create role {Q(App)}; create role {Other}; create role {Reader};
            create role {Keeper} login createdb; grant pg_read_all_data, {Q(App)} to {Keeper};
            alter database {source} owner to {Q(App)};
            set role {Q(App)};
            create schema shop;
            create type shop.size as enum ('s', 'l');
            create domain shop.amount as int check (value >= 0);
            create table public.orders (id serial primary key, note text, secret text);
            insert into public.orders (note) select 'n' from generate_series(1, 20);
            create table shop.lines (id int generated always as identity primary key, much shop.amount, size shop.size);
            create sequence shop.numbers;
            create view shop.notes as select note from public.orders;
            create function shop.wipe() returns bigint language sql security definer as 'select count(*) from public.orders';
            revoke execute on function shop.wipe() from public;
            grant select (id, note) on public.orders to {Reader};
            reset role;
            create table public.theirs (id int); create table public.theirs_too (id int);
            alter table public.theirs owner to {Other}; alter table public.theirs_too owner to {Other};
            alter database {source} set statement_timeout = '7s';
            alter database {source} set search_path = 'sh;op', shop, public;
            alter database {source} set app.jwt_secret = 'hunter2';
            alter role {Q(App)} in database {source} set lock_timeout = '3s';
            """);
    }

    public async Task DisposeAsync()
    {
        var server = Way("postgres");
        await OddDatabase.Execute(server, $"drop database if exists {Fresh} with (force)");
        await PostgresServer.Drop(admin);
        await OddDatabase.Execute(server, $"drop role {Keeper}, {Q(App)}, {Other}, {Reader}");
        rig.Dispose();
    }

    Task<BackupManifest> Backed(string? user) => rig.Write(new PostgresSource(Way(source, user), tools, rig.Scratch));

    Task<RestoreReport> Restored(BackupManifest manifest, string? user, bool toOwners = true) =>
        new DatabaseRestore(rig.Reader, tools, rig.Scratch, TimeProvider.System, toOwners).Into(manifest, rig.Key, Way("postgres", user), Fresh, BackupRig.Ignored, default);

    Task<object?> Ask(string sql) => OddDatabase.Execute(Way(Fresh), sql);

    Task<object?> OwnersIn(string database) => OddDatabase.Execute(Way(database), """
        select string_agg(owned || ' ' || pg_get_userbyid(owner), ', ' order by owned) from (
          select relname::text, relowner from pg_class where relnamespace in ('public'::regnamespace, 'shop'::regnamespace) and relkind in ('r', 'S', 'v')
          union all select typname, typowner from pg_type where typname in ('size', 'amount')
          union all select proname, proowner from pg_proc where proname = 'wipe'
          union all select nspname, nspowner from pg_namespace where nspname = 'shop') o (owned, owner)
        """);

    [Fact]
    public async Task A_superuser_gives_everything_back_to_its_owners_with_rights_and_settings()
    {
        var report = await Restored(await Backed(null), null);
        Assert.True(report.Comparison.IsEqual, string.Join('\n', report.Comparison.Differences));
        Assert.Equal(["setting app.jwt_secret: its value may be a secret, which no manifest holds; set it again"], report.GrantsLeftOut);
        Assert.Equal(await OwnersIn(source), await OwnersIn(Fresh));
        Assert.Equal(("7s", "\"sh;op\", shop, public"), (await Ask("show statement_timeout"), await Ask("show search_path")));
        Assert.Equal("lock_timeout=3s", await Ask($"select setconfig[1] from pg_db_role_setting where setrole = '{Q(App)}'::regrole and setdatabase = (select oid from pg_database where datname = current_database())"));
    }

    [Fact]
    public async Task An_account_that_is_a_member_gives_back_what_it_may_and_says_the_rest()
    {
        var manifest = await Backed(Keeper);
        Assert.DoesNotContain("hunter2", Encoding.UTF8.GetString(manifest.CanonicalBytes()), StringComparison.Ordinal);
        var report = await Restored(manifest, Keeper);
        Assert.True(report.Comparison.IsEqual, string.Join('\n', report.Comparison.Differences));
        Assert.Empty(report.MissingRoles);
        Assert.Equal(3, report.GrantsLeftOut.Count);
        Assert.StartsWith($"alter table public.theirs owner to {Other} and 1 more of this owner: must be ", report.GrantsLeftOut[0], StringComparison.Ordinal);
        Assert.Contains("app.jwt_secret", report.GrantsLeftOut[1], StringComparison.Ordinal);
        Assert.StartsWith($"setting lock_timeout = 3s of {App}: ", report.GrantsLeftOut[2], StringComparison.Ordinal);

        // What the application does it can do again: read, write, count on, change its tables.
        Assert.Equal(21, await Ask($"set role {Q(App)}; insert into public.orders (note) values ('after') returning id"));
        Assert.Equal(1, await Ask($"set role {Q(App)}; insert into shop.lines (much, size) values (1, 's') returning id"));
        Assert.Equal(1L, await Ask($"set role {Q(App)}; select nextval('shop.numbers')"));
        Assert.Equal(21L, await Ask($"set role {Q(App)}; alter table public.orders add column more int; create table shop.made (); select count(*) from shop.notes"));
        // What was lent for the moment is taken back; what others may is as it was.
        Assert.Equal(false, await Ask($"select has_schema_privilege('{App}', 'public', 'create') or has_database_privilege('{App}', current_database(), 'create')"));
        Assert.Equal(true, await Ask($"select has_column_privilege('{Reader}', 'public.orders', 'note', 'select') and not has_column_privilege('{Reader}', 'public.orders', 'secret', 'select')"));
        Assert.Equal(false, await Ask($"select has_function_privilege('{Reader}', 'shop.wipe()', 'execute')"));
        Assert.Equal(Keeper, await Ask("select pg_get_userbyid(relowner)::text from pg_class where relname = 'theirs'"));
        Assert.Equal(("7s", "\"sh;op\", shop, public"), (await Ask("show statement_timeout"), await Ask("show search_path")));
    }

    [Fact]
    public async Task Everything_belongs_to_whoever_restores_where_that_is_wanted_or_the_backup_is_of_a_version_that_kept_no_owners()
    {
        var manifest = await Backed(Keeper);
        Assert.DoesNotContain((await Restored(manifest, Keeper, toOwners: false)).GrantsLeftOut, l => l.Contains("owner", StringComparison.Ordinal));
        Assert.Equal(1L, await Ask("select count(distinct relowner) from pg_class where relname in ('orders', 'lines', 'theirs')"));
        await OddDatabase.Execute(Way("postgres"), $"drop database {Fresh}");

        var old = manifest with { Database = manifest.Database! with { Owners = null, Settings = null } };
        Assert.Equal([$"owners: this backup is of a version that did not keep them, so everything belongs to {Keeper}"], (await Restored(old, Keeper)).GrantsLeftOut);
        Assert.Equal(Keeper, await Ask("select pg_get_userbyid(relowner)::text from pg_class where relname = 'orders'"));
    }

    [Fact]
    public void The_screen_says_which_roles_are_missing_and_what_was_not_given_again()
    {
        using var screen = new BunitContext();
        var report = new RestoreBackup.Report([new("table \"public\".\"orders\"", "1 rows", "1 rows")], ["app"], [.. Enumerable.Range(1, 23).Select(n => $"alter table public.t{n} owner to x: no")]);
        var shown = screen.Render<ComparisonTable>(p => p.Add(t => t.Report, report)).Markup;
        Assert.Contains("Roles that the server does not have: app.", shown, StringComparison.Ordinal);
        Assert.Contains("Not given again: alter table public.t20 owner to x: no", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("public.t21", shown, StringComparison.Ordinal);
        Assert.Contains("3 more were not given again.", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_of_before_owners_were_kept_is_read_and_its_bytes_stay_as_they_were()
    {
        const string old = """{"format":1,"id":"0198c000000070008000626b70000001","target":"shop","kind":"database","file":"backups/0198c000000070008000626b70000001.dump.gz.enc","key":"0198c000000070008000626b70000002","versions":{"portal":"0.1.0","server":"15.18","dump":"15.18"},"snapshot":{"wal":"0/1","takenAt":"2026-11-23T00:17:00+00:00"},"plain":{"bytes":1,"sha256":"aa"},"stored":{"bytes":1,"sha256":"bb"},"storedMac":"cc","gzipLevel":9,"startedAt":"2026-11-23T00:17:00+00:00","finishedAt":"2026-11-23T00:17:01+00:00","database":{"encoding":"UTF8","collation":"C","characterType":"C","tables":[{"schema":"public","name":"orders","rows":1,"constraints":1,"indexes":1}],"sequences":[],"largeObjects":{"count":0,"bytes":0},"extensions":[],"roles":["app"],"grants":[{"role":"app","statement":"grant select on table public.orders to app"}]},"directory":null,"audit":null,"carried":{}}""";
        var read = BackupManifest.Read(Encoding.UTF8.GetBytes(old));
        Assert.Equal((null, null), (read.Database!.Owners, read.Database.Settings));
        Assert.Equal(old, Encoding.UTF8.GetString(read.CanonicalBytes()));
    }
}
