using System.Globalization;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Backups;

public sealed class DumpFaultTests : IAsyncLifetime
{
    const string Password = "hunter2:with\\signs";
    readonly BackupRig rig = new();
    string connection = "";
    PostgresTools tools = null!;

    public async Task InitializeAsync()
    {
        tools = await PostgresTools.Find(default);
        connection = new NpgsqlConnectionStringBuilder(await PostgresServer.Empty()) { Password = Password, Pooling = false }.ConnectionString;
        await OddDatabase.Execute(connection, "create table things as select g as id, repeat('x', 100) as text from generate_series(1, 1000) g");
    }

    public async Task DisposeAsync()
    {
        await PostgresServer.Drop(connection);
        rig.Dispose();
    }

    [Fact]
    public async Task A_cancelled_dump_ends_with_all_its_processes_and_the_password_is_seen_nowhere_but_in_its_file()
    {
        await using var held = await HeldTable.Hold(connection, "things");
        using var cancelled = new CancellationTokenSource();
        var writing = rig.Write(new PostgresSource(connection, tools, rig.Scratch), ct: cancelled.Token);
        var database = new NpgsqlConnectionStringBuilder(connection).Database!;
        var pid = (await Soon.Reads(() => Task.FromResult(DatabasePrograms.On(database)), found => found.Count > 0, "pg_dump runs and waits for the lock"))[0];
        Assert.Equal(pid, int.Parse((await File.ReadAllTextAsync($"/proc/{pid}/stat")).Split(") ")[1].Split(' ')[2], CultureInfo.InvariantCulture));
        Assert.DoesNotContain("hunter2", await File.ReadAllTextAsync($"/proc/{pid}/cmdline"), StringComparison.Ordinal);
        var environment = await File.ReadAllTextAsync($"/proc/{pid}/environ");
        Assert.DoesNotContain("hunter2", environment, StringComparison.Ordinal);
        var file = Assert.Single(Directory.GetFiles(rig.Scratch));
        Assert.Contains($"PGPASSFILE={file}", environment, StringComparison.Ordinal);
        Assert.Equal(PrivateFile.Mode, File.GetUnixFileMode(file));
        Assert.Equal("*:*:*:*:hunter2\\:with\\\\signs\n", await File.ReadAllTextAsync(file));
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.False(Directory.Exists($"/proc/{pid}"));
        Assert.Empty(Directory.GetFiles(rig.Scratch));
        Assert.Empty(rig.Files);
    }

    [Theory]
    [InlineData("head -c 100000 /dev/zero; echo 'pg_dump: warning: something is odd' >&2; exit 0", "did not keep silent, so this is no complete backup: pg_dump: warning: something is odd")]
    [InlineData("head -c 100000 /dev/zero; echo 'pg_dump: error: no more' >&2; exit 1", "pg_dump failed (exit code 1): pg_dump: error: no more")]
    [InlineData("head -c 100000 /dev/zero; kill -9 $$", "pg_dump failed (exit code 137): it said nothing; it was ended from outside")]
    public async Task Exit_code_and_error_output_must_both_be_clean_before_anything_is_published(string script, string words)
    {
        var failed = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new PostgresSource(connection, Fake(script), rig.Scratch)));
        Assert.Equal(BackupFailure.Refused, failed.Kind);
        Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        Assert.Empty(rig.Files);
        await rig.Write(new PostgresSource(connection, Fake("head -c 100000 /dev/zero"), rig.Scratch));
        Assert.Equal(2, rig.Files.Count);
    }

    [Fact]
    public async Task A_pg_dump_that_is_missing_or_too_old_is_told_with_the_package_that_helps()
    {
        var missing = await Assert.ThrowsAsync<BackupFailedException>(() => PostgresTools.Find(default, rig.Scratch));
        Assert.Contains("install the package postgresql-client", missing.Message, StringComparison.Ordinal);
        var old = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new PostgresSource(connection, tools with { Version = "9.6" }, rig.Scratch)));
        Assert.Contains("pg_dump here is 9.6: an older pg_dump refuses a newer server. Install the package postgresql-client-", old.Message, StringComparison.Ordinal);
        var newer = Assert.Throws<BackupFailedException>(() => tools.CheckFor(new BackupVersions("1", "15.1", "99.1"), "15.1"));
        Assert.Contains("written by pg_dump 99.1", newer.Message, StringComparison.Ordinal);
        var backwards = Assert.Throws<BackupFailedException>(() => tools.CheckFor(new BackupVersions("1", "15.1", "15.1"), "14.3"));
        Assert.Contains("restore it on 15 or newer", backwards.Message, StringComparison.Ordinal);
        tools.CheckFor(new BackupVersions("1", "13.1", "15.1"), "15.1");
    }

    [Theory]
    [InlineData("Port=1", BackupFailure.Passing, "cannot be reached")]
    [InlineData("Database=nothing_of_this_name", BackupFailure.Refused, "does not exist")]
    [InlineData("Username=nobody_of_this_name", BackupFailure.Refused, "nobody_of_this_name")]
    public async Task A_database_that_cannot_be_had_is_told_in_words_without_its_password(string change, BackupFailure kind, string words)
    {
        var failed = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new PostgresSource($"{connection};{change}", tools, rig.Scratch)));
        Assert.Equal(kind, failed.Kind);
        Assert.Contains(words, failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", failed.ToString(), StringComparison.Ordinal);
        Assert.Empty(rig.Files);
    }

    [Fact]
    public async Task An_account_that_may_not_read_everything_is_refused_rather_than_given_half_a_backup()
    {
        var role = $"reader_{Environment.ProcessId}";
        await OddDatabase.Execute(connection, $"create role {role} login; create table hidden (id int); grant select on things to {role}");
        try
        {
            var limited = new NpgsqlConnectionStringBuilder(connection) { Username = role }.ConnectionString;
            var failed = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new PostgresSource(limited, tools, rig.Scratch)));
            Assert.Equal(BackupFailure.Refused, failed.Kind);
            Assert.Contains("permission denied for table", failed.Message, StringComparison.Ordinal);
            await OddDatabase.Execute(connection, $"grant select on hidden to {role}; alter table hidden enable row level security");
            var filtered = await Assert.ThrowsAsync<BackupFailedException>(() => rig.Write(new PostgresSource(limited, tools, rig.Scratch)));
            Assert.Contains("row-level security", filtered.Message, StringComparison.Ordinal);
            Assert.Empty(rig.Files);
            await OddDatabase.Execute(connection, $"alter table hidden disable row level security");
            Assert.Null((await rig.Write(new PostgresSource(limited, tools, rig.Scratch))).Database!.LargeObjects.Bytes);
        }
        finally
        {
            await OddDatabase.Execute(connection, $"drop owned by {role}; drop role {role}");
        }
    }

    [Fact]
    public async Task Password_files_that_a_killed_process_left_are_swept()
    {
        Directory.CreateDirectory(rig.Scratch);
        await File.WriteAllTextAsync(Path.Combine(rig.Scratch, "left.pgpass"), "secret");
        await File.WriteAllTextAsync(Path.Combine(rig.Scratch, "other"), "stays");
        LibpqConnection.Sweep(rig.Scratch);
        LibpqConnection.Sweep(rig["not there"]);
        Assert.Equal(["other"], Directory.GetFiles(rig.Scratch).Select(Path.GetFileName));
    }

    PostgresTools Fake(string script)
    {
        var folder = Directory.CreateDirectory(rig["fake"]).FullName;
        var program = Path.Combine(folder, "pg_dump");
        File.WriteAllText(program, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(program, PrivateFile.FolderMode);
        return tools with { Binaries = new PostgresBinaries(folder, tools.Major) };
    }
}
