using Npgsql;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class DatabaseBackupTests(OddDatabase database) : IClassFixture<OddDatabase>, IAsyncLifetime
{
    readonly BackupRig rig = new();
    readonly string fresh = $"fresh \"copy\" {Environment.ProcessId}";
    PostgresTools tools = null!;

    public async Task InitializeAsync() => tools = await PostgresTools.Find(default);

    public async Task DisposeAsync()
    {
        await OddDatabase.Execute(database.Server, $"drop database if exists {ContentsComparison.Quoted(fresh)} with (force)");
        rig.Dispose();
    }

    [Fact]
    public async Task Odd_names_partitions_large_objects_and_extensions_come_back_equal_table_by_table()
    {
        var manifest = await rig.Write(Source());
        var contents = manifest.Database!;
        Assert.Equal((ContentKind.Database, tools.Version), (manifest.Kind, manifest.Versions.Dump));
        Assert.InRange(PostgresTools.MajorOf(manifest.Versions.Server!), 15, tools.Major);
        Assert.Matches("^[0-9A-F]+/[0-9A-F]+$", manifest.Snapshot!.Wal);
        Assert.Contains(new TableContents("weird \"schema\"", "weird \"name\"", 5000, 3, 3), contents.Tables);
        Assert.Contains(new TableContents("public", "events", null, 1, 1), contents.Tables);
        Assert.Contains(contents.Tables, t => t is { Name: "events_2025", Rows: 213 });
        Assert.Contains(contents.Tables, t => t is { Name: "parent", Rows: 2 });
        Assert.Contains(new SequenceContents("public", "called", 2, 2), contents.Sequences);
        Assert.Contains(new SequenceContents("public", "never_called", 90, 90), contents.Sequences);
        Assert.Equal(new LargeObjects(2, 100_005), contents.LargeObjects);
        Assert.Contains(contents.Extensions, e => e.Name == "pg_trgm");
        Assert.Contains(database.Role, contents.Roles);

        await ArchiveCheck.Run(rig.Reader, manifest, rig.Key, tools, BackupRig.Ignored, default);
        var report = await Restore(manifest);
        Assert.True(report.Comparison.IsEqual, string.Join('\n', report.Comparison.Differences));
        Assert.Equal(contents.Tables.Count + contents.Sequences.Count + contents.Extensions.Count + 1, report.Comparison.Lines.Count);
        Assert.Empty(report.MissingRoles);
        Assert.Empty(report.GrantsLeftOut);
        Assert.Empty(report.Said);
        Assert.Equal(true, await OddDatabase.Execute(Fresh, $"select has_table_privilege({Literal(database.Role)}, '\"Über\"', 'insert') and has_table_privilege({Literal(database.Role)}, 'events', 'select') and not has_table_privilege({Literal(database.Role)}, 'child', 'select')"));
        Assert.Empty(Directory.GetFiles(rig.Scratch));

        // The comparison sees every kind of difference.
        await OddDatabase.Execute(Fresh, """delete from "Über" where "select" = 2; drop table child; create table extra (); select nextval('called'); select lo_unlink(max(oid)) from pg_largeobject_metadata; alter table events drop constraint events_pkey""");
        await using var snapshot = await DatabaseSnapshot.Take(Fresh, default);
        var differences = ContentsComparison.Of(contents, await snapshot.Contents(default)).Differences.ToList();
        Assert.Equal(["large objects", "sequence \"public\".\"called\"", "table \"public\".\"child\"", "table \"public\".\"events\"", "table \"public\".\"events_2025\"", "table \"public\".\"events_2026\"", "table \"public\".\"extra\"", "table \"public\".\"Über\""],
            differences.Select(d => d.Subject).Order(StringComparer.Ordinal));
        Assert.Equal(("3 rows, 1 constraints, 0 indexes", "2 rows, 1 constraints, 0 indexes"), differences.Where(d => d.Subject.Contains("Über", StringComparison.Ordinal)).Select(d => (d.Expected, d.Found)).Single());
        Assert.Equal("absent", differences.Single(d => d.Subject.Contains("child", StringComparison.Ordinal)).Found);
    }

    [Fact]
    public async Task Counts_are_those_of_the_dumps_own_snapshot_whatever_is_written_meanwhile()
    {
        var first = 0;
        var manifest = await new ArtifactWriter(rig.Clock).Write(rig.Order(), Source(), rig.Store, _ =>
        {
            if (Interlocked.Exchange(ref first, 1) == 1) return;
            using var connection = new NpgsqlConnection(database.ConnectionString);
            connection.Open();
            using var insert = new NpgsqlCommand("insert into events select date '2026-02-01' + g, 'late' from generate_series(1, 40) g; select nextval('never_called')", connection);
            insert.ExecuteNonQuery();
        }, default);
        try
        {
            Assert.Contains(manifest.Database!.Tables, t => t is { Name: "events_2026", Rows: 87 });
            Assert.Equal(127L, await OddDatabase.Execute(database.ConnectionString, "select count(*) from events_2026"));
            Assert.Contains(new SequenceContents("public", "never_called", 90, 100), manifest.Database!.Sequences);
            var report = await Restore(manifest);
            Assert.True(report.Comparison.IsEqual, string.Join('\n', report.Comparison.Differences));
        }
        finally
        {
            await OddDatabase.Execute(database.ConnectionString, "delete from events where what = 'late'; alter sequence never_called restart");
        }
    }

    [Fact]
    public async Task Roles_that_the_destination_lacks_are_said_and_their_grants_with_them()
    {
        var manifest = await rig.Write(Source());
        var other = manifest with { Database = manifest.Database! with { Roles = ["nobody here", .. manifest.Database!.Roles], Grants = [new("nobody here", "grant select on table public.events to \"nobody here\""), new(database.Role, "grant select on table public.not_there to public")] } };
        var report = await Restore(other);
        Assert.Equal(["nobody here"], report.MissingRoles);
        Assert.Equal(["grant select on table public.events to \"nobody here\": the role is missing", "grant select on table public.not_there to public: relation \"public.not_there\" does not exist"], report.GrantsLeftOut);
        Assert.True(report.Comparison.IsEqual);
    }

    [Fact]
    public async Task A_restore_never_writes_into_a_database_that_exists_and_one_that_fails_leaves_none()
    {
        var manifest = await rig.Write(Source());
        await OddDatabase.Execute(database.Server, $"create database {ContentsComparison.Quoted(fresh)}");
        var exists = await Assert.ThrowsAsync<BackupFailedException>(() => Restore(manifest));
        Assert.Equal(BackupFailure.Refused, exists.Kind);
        Assert.Contains("exists already", exists.Message, StringComparison.Ordinal);
        Assert.True(await FreshExists());
        await OddDatabase.Execute(database.Server, $"drop database {ContentsComparison.Quoted(fresh)}");

        var lacking = manifest with { Database = manifest.Database! with { Extensions = [new("no_such_extension", "1")] } };
        Assert.Contains("lacks what the database uses: the extension no_such_extension", (await Assert.ThrowsAsync<BackupFailedException>(() => Restore(lacking))).Message, StringComparison.Ordinal);
        var file = rig.FileOf(manifest.File);
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        Assert.Equal(BackupFailure.Damaged, (await Assert.ThrowsAsync<BackupFailedException>(() => Restore(manifest))).Kind);
        Assert.False(await FreshExists());
    }

    [Fact]
    public async Task An_archive_that_was_cut_before_it_was_packed_is_found_by_reading_it_to_its_end_and_by_restoring_it()
    {
        using var whole = new MemoryStream();
        var facts = await Source().Write(whole, default);
        var half = await rig.Write(new CutArchive(whole.ToArray()[..((int)whole.Length / 2)], facts));
        await rig.Reader.CheckStored(half, rig.Key, BackupRig.Ignored, default);
        var unreadable = await Assert.ThrowsAsync<BackupFailedException>(() => ArchiveCheck.Run(rig.Reader, half, rig.Key, tools, BackupRig.Ignored, default));
        Assert.Equal(BackupFailure.Damaged, unreadable.Kind);
        Assert.Contains("end of file", unreadable.Message, StringComparison.Ordinal);
        Assert.Contains("pg_restore failed", (await Assert.ThrowsAsync<BackupFailedException>(() => Restore(half))).Message, StringComparison.Ordinal);
        Assert.False(await FreshExists());
    }

    PostgresSource Source() => new(database.ConnectionString, tools, rig.Scratch);

    string Fresh => new NpgsqlConnectionStringBuilder(database.Server) { Database = fresh, Pooling = false }.ConnectionString;

    Task<RestoreReport> Restore(BackupManifest manifest) =>
        new DatabaseRestore(rig.Reader, tools, rig.Scratch, TimeProvider.System).Into(manifest, rig.Key, database.Server, fresh, BackupRig.Ignored, default);

    async Task<bool> FreshExists() => await OddDatabase.Execute(database.Server, $"select true from pg_database where datname = {Literal(fresh)}") is true;

    static string Literal(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";

    sealed class CutArchive(byte[] content, SourceFacts facts) : IBackupSource
    {
        public ContentKind Kind => ContentKind.Database;

        public async Task<SourceFacts> Write(Stream to, CancellationToken ct)
        {
            await to.WriteAsync(content, ct);
            return facts;
        }
    }
}
