using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Portal.Infrastructure;
using Portal.Infrastructure.Postgres;
using Portal.Tests.Support;

namespace Portal.Tests.Postgres;

/// <summary>One cluster for the class, made once: each test leaves it stopped or abandoned, as its predecessor in real life would.</summary>
[Trait("Category", "Slow")]
public sealed class EmbeddedPostgresTests : IDisposable
{
    readonly ScratchFolder folder = new();
    readonly List<EmbeddedPostgres> servers = [];

    EmbeddedPostgres Server()
    {
        var data = new DataFolder(folder.Path);
        Directory.CreateDirectory(folder.Path);
        data.Claim();
        data.Dispose();
        servers.Add(new EmbeddedPostgres(data, TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance));
        return servers[^1];
    }

    public void Dispose()
    {
        foreach (var server in servers) server.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_first_start_makes_a_closed_cluster_and_a_second_one_continues_with_its_data()
    {
        var first = Server();
        var connection = await first.Start(default);
        await Execute(connection, "create table kept (n int)");
        Assert.Equal("drwx--x--x", Mode(folder.Path));
        Assert.Equal("drwx------", Mode(folder.Cluster));
        Assert.Equal("-rw-------", Mode(folder["keys", "postgres.password"]));
        Assert.Equal("127.0.0.1", await Scalar(connection, "show listen_addresses"));
        Assert.Equal("scram-sha-256", await Scalar(connection, "select string_agg(distinct auth_method, ',') from pg_hba_file_rules"));
        Assert.Equal("on", await Scalar(connection, "show data_checksums"));
        Assert.Equal(first.ProcessId!.Value, SessionOf(first.ProcessId.Value));
        var refused = await Assert.ThrowsAsync<PostgresException>(() => Execute(new NpgsqlConnectionStringBuilder(connection) { Password = "wrong" }.ConnectionString, "select 1"));
        Assert.Equal("28P01", refused.SqlState);

        await first.Stop();
        Assert.False(first.IsAlive);
        Assert.Null(folder.Postmaster);
        var again = await Server().Start(default);
        Assert.Equal(new NpgsqlConnectionStringBuilder(connection).Port, new NpgsqlConnectionStringBuilder(again).Port);
        await Execute(again, "insert into kept values (1)");
    }

    [Fact]
    public async Task A_server_that_outlived_its_portal_is_adopted_and_can_be_stopped()
    {
        var abandoned = Server();
        await Execute(await abandoned.Start(default), "create table kept (n int)");
        var next = Server();
        await Execute(await next.Start(default), "insert into kept values (1)");
        Assert.True(next.Adopted);
        Assert.Equal(abandoned.ProcessId, next.ProcessId);
        await next.Stop();
        Assert.False(abandoned.IsAlive);
    }

    [Fact]
    public async Task A_server_that_hangs_is_stopped_and_replaced()
    {
        var abandoned = Server();
        await Execute(await abandoned.Start(default), "create table kept (n int)");
        PortalProcess.Send("STOP", [.. Postmaster.ProcessesOf(folder.Cluster)]);
        var next = Server();
        await Execute(await next.Start(default), "insert into kept values (1)");
        Assert.False(next.Adopted);
        Assert.NotEqual(abandoned.ProcessId, next.ProcessId);
    }

    [Fact]
    public async Task A_killed_server_is_noticed_and_starts_again_with_what_it_had_committed()
    {
        var server = Server();
        await Execute(await server.Start(default), "create table kept (n int); insert into kept values (7)");
        var end = server.WaitForEnd(default);
        await Task.Yield();
        Assert.False(end.IsCompleted);
        PortalProcess.Send("KILL", server.ProcessId!.Value);
        await end.WaitAsync(PortalProcess.Patience);
        Assert.Equal(7, await Scalar(await server.Start(default), "select n from kept"));
    }

    [Fact]
    public async Task A_stale_pid_file_with_the_number_of_another_living_process_does_not_block_the_start()
    {
        var server = Server();
        await server.Start(default);
        var file = await File.ReadAllLinesAsync(Postmaster.FileOf(folder.Cluster));
        await server.Stop();
        file[0] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllLinesAsync(Postmaster.FileOf(folder.Cluster), file);
        await Execute(await Server().Start(default), "select 1");
    }

    [Fact]
    public async Task A_port_that_somebody_took_is_left_to_them()
    {
        var server = Server();
        var port = new NpgsqlConnectionStringBuilder(await server.Start(default)).Port;
        await server.Stop();
        using var thief = new TcpListener(IPAddress.Loopback, port);
        thief.Start();
        var connection = await Server().Start(default);
        Assert.NotEqual(port, new NpgsqlConnectionStringBuilder(connection).Port);
        await Execute(connection, "select 1");
    }

    [Fact]
    public async Task A_start_that_was_broken_off_while_making_the_cluster_leaves_nothing_in_the_way()
    {
        var server = Server();
        Directory.CreateDirectory(folder["postgres.new", "base"]);
        await File.WriteAllTextAsync(folder["postgres.new", "PG_VERSION"], "15");
        await Execute(await server.Start(default), "select 1");
        Assert.False(Directory.Exists(folder["postgres.new"]));
    }

    [Fact]
    public async Task A_database_of_another_major_version_is_refused_with_the_package_that_is_missing()
    {
        var server = Server();
        await server.Start(default);
        await server.Stop();
        var installed = PostgresBinaries.Installed()[0].Major;
        await File.WriteAllTextAsync(Path.Combine(folder.Cluster, "PG_VERSION"), $"{installed + 1}\n");
        var newer = await Assert.ThrowsAsync<CannotStartException>(() => Server().Start(default));
        Assert.Contains($"install the package postgresql-{installed + 1}", newer.Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder.Cluster, "PG_VERSION"), "11\n");
        var older = await Assert.ThrowsAsync<CannotStartException>(() => Server().Start(default));
        Assert.Contains("install the package postgresql-11 beside it", older.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_move_to_other_programs_keeps_the_data_and_the_old_folder()
    {
        var server = Server();
        await Execute(await server.Start(default), "create table kept (n int); insert into kept values (42)");
        await server.Stop();
        var binaries = PostgresBinaries.Installed()[0];
        await ClusterVersion.Move(folder.Cluster, binaries, binaries, ServerAccount.Find(), await File.ReadAllTextAsync(folder["keys", "postgres.password"]), NullLogger.Instance, TimeProvider.System, default);
        Assert.Single(Directory.GetDirectories(folder.Path, $"postgres.{binaries.Major}-*"));
        Assert.Equal(42, await Scalar(await Server().Start(default), "select n from kept"));
    }

    [Fact]
    public async Task A_lost_password_is_named_instead_of_beginning_anew()
    {
        var server = Server();
        await server.Start(default);
        await server.Stop();
        File.Delete(folder["keys", "postgres.password"]);
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => Server().Start(default));
        Assert.Contains("postgres.password is missing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_vanished_under_a_running_portal_is_named_instead_of_beginning_anew()
    {
        var server = Server();
        await server.Start(default);
        await server.Stop();
        Directory.Delete(folder.Cluster, recursive: true);
        var refused = await Assert.ThrowsAsync<CannotStartException>(() => server.Start(default));
        Assert.Contains("has vanished while the portal ran", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder.Cluster));
    }

    [FactAsRoot]
    public async Task Below_a_folder_that_is_closed_to_PostgreSQL_the_database_really_runs_elsewhere_and_is_found_again()
    {
        Directory.CreateDirectory(folder.Path, PrivateFile.FolderMode);
        await using var closed = new Elsewhere(folder["data"]);
        await Execute(await closed.Server().Start(default), "create table kept (n int)");
        Assert.Equal($"{ClusterPlace.Elsewhere}/{closed.Data.Hash}", closed.Place);
        Assert.Equal("drwx------", Mode(closed.Place));
        Assert.True(Postmaster.Read(closed.Place)?.LivesIn(closed.Place));
        await closed.Stop();
        await Execute(await closed.Server().Start(default), "insert into kept values (1)");
        await Execute(await closed.Server().Start(default), "insert into kept values (2)");
    }

    [Fact]
    public async Task A_clean_stop_takes_the_folder_of_its_socket_along()
    {
        var server = Server();
        await server.Start(default);
        var own = Path.Combine(SocketFolder.RootFor(ServerAccount.Find()), new DataFolder(folder.Path).Hash);
        Assert.NotEmpty(Directory.GetFiles(own, ".s.PGSQL.*.lock"));
        Directory.SetLastWriteTimeUtc(own, TimeProvider.System.GetUtcNow().AddMinutes(-11).UtcDateTime);
        SocketFolder.Sweep(Path.GetDirectoryName(own)!, TimeProvider.System, NullLogger.Instance);
        Assert.NotEmpty(Directory.GetFiles(own, ".s.PGSQL.*.lock"));
        await server.Stop();
        Assert.False(Directory.Exists(own));
    }

    /// <summary>A data folder whose cluster lies outside of it; both end with the test.</summary>
    sealed class Elsewhere : IAsyncDisposable
    {
        readonly List<EmbeddedPostgres> servers = [];

        public Elsewhere(string path)
        {
            Data = new DataFolder(path);
            Data.Claim();
        }

        public DataFolder Data { get; }
        public string Place => new DirectoryInfo(Path.Combine(Data.Root, "postgres")).LinkTarget!;

        public EmbeddedPostgres Server()
        {
            servers.Add(new EmbeddedPostgres(Data, TimeProvider.System, NullLogger<EmbeddedPostgres>.Instance));
            return servers[^1];
        }

        public Task Stop() => servers[^1].Stop();

        public async ValueTask DisposeAsync()
        {
            await Stop();
            foreach (var server in servers) server.Dispose();
            if (Directory.Exists($"{ClusterPlace.Elsewhere}/{Data.Hash}")) Directory.Delete($"{ClusterPlace.Elsewhere}/{Data.Hash}", recursive: true);
            Data.Dispose();
        }
    }

    static string Mode(string path)
    {
        using var stat = Process.Start(new ProcessStartInfo("stat", ["-c", "%A", path]) { RedirectStandardOutput = true })!;
        return stat.StandardOutput.ReadToEnd().Trim();
    }

    static int SessionOf(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3], CultureInfo.InvariantCulture);
    }

    static async Task Execute(string connection, string sql) => await Scalar(connection, sql);

    static async Task<object?> Scalar(string connection, string sql)
    {
        await using var open = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connection) { Pooling = false }.ConnectionString);
        await open.OpenAsync();
        await using var command = new NpgsqlCommand(sql, open);
        return await command.ExecuteScalarAsync();
    }
}
