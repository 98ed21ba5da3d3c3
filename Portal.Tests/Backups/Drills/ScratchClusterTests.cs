using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.Domain.Backups;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Backups.Drills;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Backups.Drills;

public sealed class ScratchClusterTests : IDisposable
{
    readonly ScratchFolder scratch = new();
    readonly LogLines log = new();
    readonly ServerAccount account = ServerAccount.Find();

    static PostgresBinaries Binaries => PostgresBinaries.Newest(PostgresBinaries.Installed());

    ScratchClusters Clusters => new(scratch["drills"], account, TimeProvider.System, new Logger<ScratchClusters>(log));

    static Task<bool> GoesOn(string run, CancellationToken ct) => Task.FromResult(false);

    public void Dispose() => scratch.Dispose();

    static async Task<object?> Ask(string connection, string sql)
    {
        await using var opened = new NpgsqlConnection(connection);
        await opened.OpenAsync();
        await using var command = new NpgsqlCommand(sql, opened);
        return await command.ExecuteScalarAsync();
    }

    [Fact]
    public async Task A_backup_is_restored_into_a_server_without_network_and_nothing_is_left_of_it()
    {
        using var rig = new BackupRig();
        var source = await PostgresServer.Empty();
        try
        {
            await Ask(source, "create table orders (id int primary key, what text); insert into orders select n, 'order ' || n from generate_series(1, 500) n");
            await new Canary(source).Beat(default);
            var tools = await PostgresTools.Find(default);
            var manifest = await rig.Write(new PostgresSource(source, tools, rig.Scratch));
            var binaries = await DrillPreflight.Check(manifest, tools, PostgresBinaries.Installed(), scratch["drills"], default);

            var cluster = await Clusters.Make("0123-run", ProcessMark.Own, binaries, default);
            var postmaster = Postmaster.Read(cluster.Cluster)!;
            await using (cluster)
            {
                Assert.Equal("//on/on", await Ask(cluster.Server, "select current_setting('listen_addresses') || '/' || coalesce(host(inet_server_addr()), '') || '/' || current_setting('fsync') || '/' || current_setting('data_checksums')"));
                Assert.DoesNotContain(log.All, l => l.Level >= LogLevel.Warning);
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(cluster.Cluster));
                var report = await new DatabaseRestore(rig.Reader, tools, rig.Scratch, TimeProvider.System).Into(manifest, rig.Key, cluster.Server, "shop \"restored\"", BackupRig.Ignored, default);
                Assert.True(report.Comparison.IsEqual, string.Join('\n', report.Comparison.Differences));
                Assert.Equal(500L, await Ask(cluster.ConnectionTo("shop \"restored\""), "select count(*) from orders"));
                var newest = await Canary.Newest(cluster.ConnectionTo("shop \"restored\""), default);
                Assert.Equal(newest, await Canary.Newest(source, default));
                Assert.NotNull(newest);
            }
            Assert.False(postmaster.LivesIn(cluster.Cluster));
            Assert.Empty(Postmaster.ProcessesOf(cluster.Cluster));
            Assert.Empty(Directory.GetFileSystemEntries(scratch["drills"]));
            Assert.Empty(Directory.GetFiles(rig.Scratch));
        }
        finally
        {
            await PostgresServer.Drop(source);
        }
    }

    [Fact]
    public async Task What_a_killed_portal_left_is_removed_by_the_next_sweep_and_not_before()
    {
        using var owner = Process.Start("sleep", ["600"]);
        var cluster = await Clusters.Make("killed", ProcessMark.Of(owner.Id)!, Binaries, default);
        Assert.Equal(0, await Clusters.Sweep(GoesOn, default));
        Assert.Equal(1, await Ask(cluster.Server, "select 1"));
        var postmaster = Postmaster.Read(cluster.Cluster)!.ProcessId;
        PortalProcess.Send("KILL", owner.Id);
        await owner.WaitForExitAsync();
        // It does not even hear that it shall end.
        PortalProcess.Send("STOP", postmaster);
        Assert.Equal(1, await Clusters.Sweep(GoesOn, default));
        Assert.Empty(Postmaster.ProcessesOf(cluster.Cluster));
        Assert.Empty(Directory.GetFileSystemEntries(scratch["drills"]));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Ask(cluster.Server, "select 1"));
        Assert.Equal(0, await Clusters.Sweep(GoesOn, default));
    }

    [Fact]
    public async Task One_whose_run_is_over_is_removed_and_one_that_is_just_coming_about_is_not()
    {
        void Make(string run, ProcessMark? owner, TimeSpan age)
        {
            var folder = Directory.CreateDirectory(scratch["drills", run]);
            if (owner is not null) File.WriteAllBytes(Path.Combine(folder.FullName, "owner.json"), JsonSerializer.SerializeToUtf8Bytes(new ScratchClusters.Ownership(run, owner, TimeProvider.System.GetUtcNow())));
            folder.LastWriteTimeUtc = (TimeProvider.System.GetUtcNow() - age).UtcDateTime;
        }
        Make("over", ProcessMark.Own, TimeSpan.Zero);
        Make("goes-on", ProcessMark.Own, TimeSpan.FromDays(1));
        Make("other-process", ProcessMark.Own with { Start = 1 }, TimeSpan.Zero);
        Make("other-boot", ProcessMark.Own with { Boot = "x" }, TimeSpan.Zero);
        Make("young", null, TimeSpan.Zero);
        Make("old", null, TimeSpan.FromMinutes(11));
        Assert.Equal(4, await Clusters.Sweep((run, _) => Task.FromResult(run == "over"), default));
        Assert.Equal(["goes-on", "young"], Directory.GetDirectories(scratch["drills"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_sweeps_at_once_and_every_ten_minutes_also_after_a_failure()
    {
        var (clock, asked) = (new FakeClock(TimeProvider.System.GetUtcNow()), 0);
        Directory.CreateDirectory(scratch["drills", "run"]);
        await File.WriteAllBytesAsync(scratch["drills", "run", "owner.json"], JsonSerializer.SerializeToUtf8Bytes(new ScratchClusters.Ownership("run", ProcessMark.Own, clock.GetUtcNow())));
        using var stop = new CancellationTokenSource();
        var sweeping = new ScratchClusters(scratch["drills"], account, clock, new Logger<ScratchClusters>(log)).KeepSwept((_, _) => Interlocked.Increment(ref asked) == 1 ? throw new InvalidOperationException("away") : Task.FromResult(asked == 3), stop.Token);
        await Soon.Comes(() => log.With("could not be looked through").Count == 1, "the first look");
        clock.FastForward(ScratchClusters.SweepEvery);
        await Soon.Comes(() => Volatile.Read(ref asked) == 2, "the second look");
        Assert.True(Directory.Exists(scratch["drills", "run"]));
        await Soon.Comes(() =>
        {
            if (Volatile.Read(ref asked) == 2) clock.FastForward(ScratchClusters.SweepEvery);
            return !Directory.Exists(scratch["drills", "run"]);
        }, "the third look");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sweeping);
    }

    [Fact]
    public async Task One_that_does_not_come_about_leaves_nothing_and_says_why()
    {
        var broken = Directory.CreateDirectory(scratch["bin"]).FullName;
        foreach (var program in new[] { "initdb", "postgres" })
        {
            await File.WriteAllTextAsync(Path.Combine(broken, program), $"#!/bin/sh\n{(program == "initdb" ? "exit 0" : "echo the disk is on fire; exit 1")}\n");
            File.SetUnixFileMode(Path.Combine(broken, program), UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
        var failed = await Assert.ThrowsAsync<BackupFailedException>(() => Clusters.Make("broken", ProcessMark.Own, new PostgresBinaries(broken, 15), default));
        Assert.Contains("the disk is on fire", failed.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(scratch["drills"]));
        var missing = await Assert.ThrowsAsync<BackupFailedException>(() => Clusters.Make("missing", ProcessMark.Own, new PostgresBinaries(scratch["nowhere"], 15), default));
        Assert.Equal(BackupFailure.Passing, missing.Kind);
        Assert.Empty(Directory.GetFileSystemEntries(scratch["drills"]));
        await Assert.ThrowsAsync<ArgumentException>(() => Clusters.Make("../x", ProcessMark.Own, Binaries, default));
    }

    [Fact]
    public async Task A_drill_that_cannot_succeed_is_refused_before_it_begins_with_every_reason()
    {
        var (tools, installed) = (await PostgresTools.Find(default), PostgresBinaries.Installed());
        var major = installed[0].Major;
        BackupManifest Of(string server, string dump, long bytes, params string[] extensions) => new(1, default, "shop", ContentKind.Database, "x", default, new("0.1.0", server, dump), null, new(bytes, ""), new(1, ""), "", 1, default, default,
            new("UTF8", "C", "C", [], [], new(0, 0), [.. extensions.Select(e => new ExtensionVersion(e, "1.0"))], [], []), null, null, new Dictionary<string, string>());
        async Task<string> Refused(BackupManifest manifest, IReadOnlyList<PostgresBinaries>? servers = null) => (await Assert.ThrowsAsync<BackupFailedException>(() => DrillPreflight.Check(manifest, tools, servers ?? installed, scratch["drills"], default))).Message;

        Assert.Equal(installed[0], await DrillPreflight.Check(Of($"{major}.1", tools.Version, 1_000, "plpgsql"), tools, installed, scratch["drills"], default));
        var newer = new PostgresBinaries("/nowhere", major + 3);
        Assert.Equal(installed[0], await DrillPreflight.Check(Of($"{major}.1", tools.Version, 1_000), tools, [newer, .. installed], scratch["drills"], default));
        Assert.Equal($"The drill is impossible because the backup is of PostgreSQL {major + 4}, and no newer server than {major} is installed here: install the package postgresql-{major + 4}.", await Refused(Of($"{major + 4}.0", tools.Version, 1)));
        Assert.Contains("no server is installed here", await Refused(Of($"{major}.0", tools.Version, 1), []), StringComparison.Ordinal);
        Assert.Contains("install the package postgresql-client-99", await Refused(Of($"{major}.0", "99.1", 1)), StringComparison.Ordinal);
        var all = await Refused(Of($"{major}.0", tools.Version, long.MaxValue, "plpgsql", "postgis", "../../../etc/timescale"));
        Assert.Contains($"the database uses the extensions ../../../etc/timescale, postgis, which PostgreSQL {major} here does not have: install their packages, and because it needs 2 times the", all, StringComparison.Ordinal);
        Assert.Contains("of a directory", await Refused(Of("1", "1", 1) with { Database = null }), StringComparison.Ordinal);
    }
}
