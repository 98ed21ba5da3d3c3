using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Infrastructure.Postgres;
using Portal.Tests.HouseRules;
using Portal.Tests.Support;

namespace Portal.Tests.Hosting;

/// <summary>The built program, started and ended as people and accidents do.</summary>
[Trait("Category", "Slow")]
public sealed class ProcessTests : IDisposable
{
    readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Killed_it_leaves_its_database_running_and_the_next_start_adopts_it_and_Ctrl_C_stops_both()
    {
        await using var killed = PortalProcess.Serve(folder.Path);
        await killed.Ready();
        // Whoever waits for "ready" on a first start finds the link above it.
        Assert.Contains("Create the first administrator at ", killed.Output, StringComparison.Ordinal);
        var server = folder.Postmaster!;

        await using (var second = PortalProcess.Serve(folder.Path))
        {
            Assert.Equal(2, await second.Exit());
            Assert.Equal($"The data folder {folder.Path} is in use by another portal (process {killed.Id}). Stop that one first, or choose another folder with --data DIR (Data:Path).", Assert.Single(second.Errors));
        }

        killed.Signal("KILL");
        await killed.Exit();
        Assert.True(server.LivesIn(folder.Cluster));
        await using var next = PortalProcess.Serve(folder.Path);
        await next.Ready();
        await next.Line("Adopted the running PostgreSQL");
        Assert.Equal(server.ProcessId, folder.Postmaster?.ProcessId);

        Assert.Equal(0, await next.Stop());
        Assert.False(server.LivesIn(folder.Cluster));
        Assert.Null(folder.Postmaster);
        Assert.False(File.Exists(folder["portal.pid"]));
    }

    [Fact]
    public async Task Its_database_is_started_again_when_it_dies_while_the_portal_runs()
    {
        await using var portal = PortalProcess.Serve(folder.Path, new() { ["Timing:PostgresRestartSeconds"] = "0.2" });
        await portal.Ready();
        var before = folder.Postmaster!.ProcessId;
        PortalProcess.Send("KILL", [.. Postmaster.ProcessesOf(folder.Cluster)]);
        await PortalProcess.Until(() => folder.Postmaster is { IsReady: true } now && now.ProcessId != before, "PostgreSQL to come back", () => portal.Output);
        Assert.False(portal.HasExited);
        Assert.Equal(0, await portal.Stop());
    }

    [Fact]
    public async Task Started_while_PostgreSQL_is_away_it_stays_up_and_becomes_ready_by_itself()
    {
        using var elsewhere = new ScratchFolder();
        using var data = new DataFolder(elsewhere.Path);
        data.Claim();
        using var server = new EmbeddedPostgres(data, TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance);
        var connection = await server.Start(default);
        await server.Stop();

        await using var portal = PortalProcess.Serve(folder.Path, new() { ["Database:ConnectionString"] = connection });
        await portal.Line("The database cannot be reached");
        Assert.False(portal.HasExited);
        Assert.DoesNotContain("Portal is ready", portal.Output, StringComparison.Ordinal);
        await server.Start(default);
        await portal.Ready();
        Assert.Equal(0, await portal.Stop());
        Assert.True(server.IsAlive);
        await server.Stop();
    }

    [Fact]
    public async Task Started_again_while_PostgreSQL_is_away_it_is_ready_with_the_page_from_disk()
    {
        var connection = await PostgresServer.Empty();
        await using (var first = PortalProcess.Serve(folder.Path, new() { ["Database:ConnectionString"] = connection }))
        {
            await first.Ready();
            Assert.Contains("Create the first administrator at ", first.Output, StringComparison.Ordinal);
            await first.Stop();
        }
        await PostgresServer.Drop(connection);
        await using var again = PortalProcess.Serve(folder.Path, new() { ["Database:ConnectionString"] = "Host=127.0.0.1;Port=1;Username=nobody;Database=nothing;Timeout=1" });
        using var visitor = new HttpClient { BaseAddress = await again.Ready() };
        Assert.Contains("Nothing is shown here yet", await visitor.GetStringAsync(new Uri("/", UriKind.Relative)), StringComparison.Ordinal);
        await again.Line("The database cannot be reached");
    }

    [FactAsRoot]
    public async Task Started_by_somebody_without_rights_it_runs_PostgreSQL_as_that_same_user_and_stops_it()
    {
        var data = folder["home"];
        var cluster = Path.Combine(data, "postgres");
        await using var portal = PortalProcess.ServeAs("nobody", folder, data, from: Repository.Root);
        using var visitor = new HttpClient { BaseAddress = await portal.Ready() };
        Assert.Contains("Nothing is shown here yet", await visitor.GetStringAsync(new Uri("/", UriKind.Relative)), StringComparison.Ordinal);
        var server = Postmaster.Read(cluster)!;
        Assert.True(server.LivesIn(cluster));
        Assert.Equal("nobody", await Owner($"/proc/{server.ProcessId}"));
        Assert.Equal("nobody", await Owner(Path.Combine(data, "keys", "master.key")));
        Assert.Equal(0, await portal.Stop());
        Assert.Empty(portal.Errors);
        Assert.Empty(Postmaster.ProcessesOf(cluster));
    }

    [Fact]
    public async Task Programs_that_lie_in_the_folder_it_is_started_from_are_not_run()
    {
        var from = Directory.CreateDirectory(folder["from"]).FullName;
        foreach (var name in (string[])["test", "sh", "setpriv", "setsid", "install", "chown", "stat", "kill", "postgres", "initdb", "pg_dump"])
        {
            await File.WriteAllTextAsync(Path.Combine(from, name), $"#!/bin/sh\n: >{from}/ran\nexit 1\n");
            File.SetUnixFileMode(Path.Combine(from, name), PrivateFile.FolderMode | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
        await using var portal = PortalProcess.StartFrom(from, folder["data"], null, "migrate", "up");
        await portal.Line("applied  ");
        Assert.Equal(0, await portal.Exit());
        Assert.False(File.Exists(Path.Combine(from, "ran")));
    }

    static async Task<string> Owner(string path) => (await Programs.Run(["stat", "-c", "%U", path], default)).Output.Trim();

    [Fact]
    public async Task A_wrong_master_key_stops_the_start_and_is_named()
    {
        await using (var first = PortalProcess.Serve(folder.Path))
        {
            await first.Ready();
            await first.Stop();
        }
        var key = folder["keys", "master.key"];
        File.Delete(key);
        PrivateFile.Write(key, RandomNumberGenerator.GetBytes(32));
        await using var portal = PortalProcess.Serve(folder.Path);
        Assert.Equal(2, await portal.Exit());
        Assert.Contains("(Security:MasterKeyFile)", Assert.Single(portal.Errors), StringComparison.Ordinal);
        Assert.Null(folder.Postmaster);
    }

    [Fact]
    public async Task Malformed_configuration_ends_the_start_with_a_line_for_each_key_and_nothing_else()
    {
        await using var portal = PortalProcess.Serve(folder.Path, new() { ["Public:TimeZone"] = "Mars/Olympus", ["Timing:FollowSeconds"] = "soon", ["Database:ConnectionString"] = "nonsense" });
        Assert.Equal(2, await portal.Exit());
        Assert.Equal(["Database:ConnectionString", "Public:TimeZone", "Timing:FollowSeconds"], portal.Errors.Select(l => l[..l.IndexOf(": ", StringComparison.Ordinal)]).Order(StringComparer.Ordinal));
        Assert.Equal("", portal.Output);
        Assert.False(Directory.Exists(folder.Path));
    }

    [Fact]
    public async Task Commands_work_on_a_data_folder_whose_portal_is_stopped_and_leave_no_server_behind()
    {
        await using (var up = PortalProcess.Start(folder.Path, null, "migrate", "up"))
        {
            await up.Line("applied  ");
            Assert.Equal(0, await up.Exit());
        }
        await using (var doctor = PortalProcess.Start(folder.Path, null, "doctor"))
        {
            await doctor.Line("All is well.");
            Assert.Equal(0, await doctor.Exit());
        }
        await using (var down = PortalProcess.Start(folder.Path, null, "migrate", "down", "0"))
        {
            await down.Line("undone   ");
            Assert.Equal(0, await down.Exit());
        }
        Assert.Single(Directory.GetFiles(folder["backups", "pre-migration"], "*.dump"));
        await using (var status = PortalProcess.Start(folder.Path, null, "migrate", "status"))
        {
            await status.Line("pending  ");
            Assert.Equal(1, await status.Exit());
        }
        await using (var unknown = PortalProcess.Start(folder.Path, null, "make-coffee"))
        {
            Assert.Equal(2, await unknown.Exit());
            Assert.StartsWith("There is no command \"make-coffee\". Commands are: ", Assert.Single(unknown.Errors), StringComparison.Ordinal);
        }
        Assert.Null(folder.Postmaster);
        Assert.Empty(Postmaster.ProcessesOf(folder.Cluster));
    }

    [Fact]
    public async Task An_address_that_is_taken_is_said_in_one_line()
    {
        var port = PortalProcess.FreePort();
        using var thief = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, port);
        thief.Start();
        await using var portal = PortalProcess.Start(folder.Path, null, "--urls", $"http://127.0.0.1:{port}");
        Assert.Equal(2, await portal.Exit());
        Assert.Contains("--urls URL (Urls)", Assert.Single(portal.Errors), StringComparison.Ordinal);
        Assert.DoesNotContain("exception", portal.Output, StringComparison.OrdinalIgnoreCase);
    }
}
