using Npgsql;
using Portal.Infrastructure;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Postgres;

public sealed class DatabaseDumpTests(TestDatabase database) : IClassFixture<TestDatabase>, IDisposable
{
    readonly ScratchFolder scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public async Task The_last_three_copies_are_kept_complete_and_private()
    {
        using var folder = new DataFolder(scratch.Path);
        folder.Claim();
        var dump = new DatabaseDump(folder, TimeProvider.System);
        var kept = new List<string>();
        for (var i = 0; i < 4; i++) kept.Add(await dump.Keep(database.ConnectionString, default));
        Assert.Equal(kept[1..], Directory.GetFiles(dump.Folder).Order(StringComparer.Ordinal));
        Assert.Equal(PrivateFile.Mode, File.GetUnixFileMode(kept[^1]));
        var read = await Programs.Run([PostgresBinaries.Installed()[0]["pg_restore"], "--file=/dev/null", kept[^1]], default);
        Assert.True(read.Ok, read.Words);
        var list = await Programs.Run([PostgresBinaries.Installed()[0]["pg_restore"], "--list", kept[^1]], default);
        Assert.Contains("TABLE DATA public incidents", list.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_alone_can_make_copies_and_where_it_is_missing_its_package_is_named()
    {
        var missing = Assert.Throws<CannotStartException>(() => PostgresBinaries.ForDumps(scratch.Path));
        Assert.Contains("install the package postgresql-client", missing.Message, StringComparison.Ordinal);
        foreach (var (major, programs) in new[] { ("9", new[] { "postgres", "initdb", "pg_dump" }), ("14", ["pg_dump"]), ("15", ["postgres", "initdb"]) })
            foreach (var program in programs)
                await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(scratch[major, "bin"]).FullName, program), "");
        Assert.Equal(14, PostgresBinaries.ForDumps(scratch.Path).Major);
        Assert.Equal([9], PostgresBinaries.Installed(scratch.Path).Select(b => b.Major));
    }

    [Fact]
    public async Task Where_no_copy_can_be_made_the_migration_must_not_go_on()
    {
        using var folder = new DataFolder(scratch.Path);
        folder.Claim();
        var dump = new DatabaseDump(folder, TimeProvider.System);
        var nobody = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "nothing_of_this_name", Password = "a:secret\\word" }.ConnectionString;
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => dump.Keep(nobody, default));
        Assert.Contains("nothing was changed", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(dump.Folder));
    }
}
