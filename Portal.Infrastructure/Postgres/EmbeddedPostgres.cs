using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Portal.Infrastructure.Postgres;

/// <summary>The private PostgreSQL of a data folder: made, started or adopted, watched and stopped by the portal.</summary>
/// <remarks>It runs in a session of its own, so that Ctrl-C reaches the portal only and the server is stopped last. If the portal is killed the server lives on; the next start adopts it.</remarks>
public sealed class EmbeddedPostgres(DataFolder data, TimeProvider clock, ILogger<EmbeddedPostgres> log) : IDisposable
{
    public const string Role = "portal", DatabaseName = "portal";
    /// <summary>A server that repairs itself after a crash may take long; as long as it lives it is waited for.</summary>
    static readonly TimeSpan SaysThatItWaits = TimeSpan.FromSeconds(10), Step = TimeSpan.FromMilliseconds(25);

    readonly SemaphoreSlim gate = new(1, 1);
    readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ServerAccount? account;
    Postmaster? running;
    string? cluster;
    Process? child;
    bool hasDatabase;

    /// <summary>Null while none runs.</summary>
    public int? ProcessId => running?.ProcessId;

    /// <summary>Whether the server that runs was found alive rather than started.</summary>
    public bool Adopted { get; private set; }

    /// <summary>Completes when it runs for the first time.</summary>
    public Task Started => started.Task;

    public bool IsAlive => running is not null && cluster is not null && running.LivesIn(cluster);

    /// <summary>Starts or adopts the server, and makes the database where it is missing.</summary>
    /// <returns>The way to the portal's database.</returns>
    /// <exception cref="CannotStartException">A person must do something first.</exception>
    public async Task<string> Start(CancellationToken ct)
    {
        await gate.WaitAsync(ct);
        try
        {
            if (IsAlive && hasDatabase) return Connection(running!.Port, Password());
            account ??= ServerAccount.Find();
            var installed = PostgresBinaries.Installed();
            // What vanished under a running portal is a loss, not a new installation.
            var again = started.Task.IsCompleted;
            if (again && !ClusterPlace.IsIn(data)) throw Vanished();
            var place = await ClusterPlace.Choose(data, account, log, clock, ct);
            if (again && !place.Exists) throw Vanished();
            cluster = place.Folder;
            if (!place.Exists) await Initialise(place, PostgresBinaries.Newest(installed), ct);
            var password = Password();
            if (!await Adopt(password, ct)) await Launch(await ClusterVersion.Fit(place.Folder, installed, account, password, log, clock, ct), ct);
            started.TrySetResult();
            await EnsureDatabase(password, ct);
            hasDatabase = true;
            return Connection(running!.Port, password);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>The way to the server that another portal of this data folder keeps running; null where none is ready.</summary>
    public string? Beside()
    {
        var link = Path.Combine(data.Root, ClusterPlace.Name);
        var folder = Directory.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName ?? link;
        return Postmaster.Read(folder) is { IsReady: true } found && found.LivesIn(folder) ? Connection(found.Port, Password()) : null;
    }

    /// <summary>Returns when the server that was started or adopted is gone.</summary>
    public async Task WaitForEnd(CancellationToken ct)
    {
        if (child is not null) await child.WaitForExitAsync(ct);
        while (IsAlive) await Task.Delay(TimeSpan.FromMilliseconds(500), clock, ct);
    }

    /// <summary>A clean stop; a server that does not heed is made to.</summary>
    public async Task Stop()
    {
        await gate.WaitAsync();
        try
        {
            if (running is null || cluster is null || !running.LivesIn(cluster)) return;
            log.LogInformation("Stopping PostgreSQL (process {Pid})", running.ProcessId);
            await End(cluster, running.ProcessId, TimeSpan.FromSeconds(20));
            SocketFolder.Remove(account!, data, log);
            running = null;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Lets go of the server without stopping it.</summary>
    public void Dispose()
    {
        child?.Dispose();
        gate.Dispose();
    }

    CannotStartException Vanished() => new($"The database in {cluster} has vanished while the portal ran, or can be read no more: put it back, from a backup if need be. No empty one is made in its place.");

    async Task Initialise(ClusterPlace place, PostgresBinaries binaries, CancellationToken ct)
    {
        if (Directory.Exists(place.Folder) && Directory.EnumerateFileSystemEntries(place.Folder).Any())
            throw new CannotStartException($"{place.Folder} holds something that is no PostgreSQL database: restore it, or remove it to begin with an empty one.");
        log.LogInformation("Making a new PostgreSQL {Major} database in {Folder}", binaries.Major, place.Folder);
        PrivateFile.Write(PasswordFile, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24)));
        await ClusterVersion.Initialise(binaries, place.Folder, account!, Password(), ct);
        place.MakeLink();
    }

    /// <summary>A server that outlived a portal is taken over if it is surely ours and answers; otherwise it is stopped, so that a new one can start.</summary>
    async Task<bool> Adopt(string password, CancellationToken ct)
    {
        Adopted = false;
        var found = Postmaster.Read(cluster!);
        if (found?.LivesIn(cluster!) == true)
        {
            if (found.BeganAsWritten && await Answers(found, password, ct))
            {
                (running, child, Adopted) = (found, null, true);
                log.LogInformation("Adopted the running PostgreSQL (process {Pid}, port {Port}) of {Folder}", found.ProcessId, found.Port, cluster);
                return true;
            }
            log.LogWarning("A PostgreSQL (process {Pid}) runs in {Folder} but does not answer as it should: it is stopped", found.ProcessId, cluster);
            await End(cluster!, found.ProcessId, TimeSpan.FromSeconds(10));
        }
        await EndOrphans(cluster!);
        if (File.Exists(Postmaster.FileOf(cluster!)))
        {
            log.LogWarning("Removing a stale postmaster.pid from {Folder}: no process of that server is alive", cluster);
            File.Delete(Postmaster.FileOf(cluster!));
        }
        return false;
    }

    async Task<bool> Answers(Postmaster found, string password, CancellationToken ct)
    {
        // One that just recovers from a crash is given time.
        for (var attempt = 0; attempt < 20; attempt++)
        {
            try
            {
                await using var connection = new NpgsqlConnection(Connection(found.Port, password, "postgres", pooling: false));
                await connection.OpenAsync(ct);
                await using var command = new NpgsqlCommand("select current_setting('data_directory')", connection);
                return (string?)await command.ExecuteScalarAsync(ct) == cluster;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.CannotConnectNow)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), clock, ct);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                return false;
            }
        }
        return false;
    }

    async Task Launch(PostgresBinaries binaries, CancellationToken ct)
    {
        var sockets = await SocketFolder.Make(account!, data, clock, log, ct);
        var port = FreePort();
        var output = Path.Combine(data.Root, "postgres.log");
        var server = account!.Command(binaries["postgres"], ["-D", cluster!, .. ServerSettings.Arguments(port, sockets)]);
        // The shell only opens the log file: exec leaves the server as our child, setsid gives it a session of its own.
        var start = new ProcessStartInfo(Programs.Find("sh"), ["-c", "umask 077; log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "sh", output, Programs.Find("setsid"), .. server]) { WorkingDirectory = "/" };
        start.Environment["LC_ALL"] = "C.UTF-8";
        child?.Dispose();
        child = Process.Start(start)!;
        try
        {
            await BecomeReady(child, binaries, output, ct);
        }
        catch (OperationCanceledException)
        {
            // We stop while it starts: it must not stay behind.
            await End(cluster!, child.Id, TimeSpan.FromSeconds(10));
            throw;
        }
    }

    async Task BecomeReady(Process server, PostgresBinaries binaries, string output, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        var said = TimeSpan.Zero;
        while (true)
        {
            if (server.HasExited) throw new IOException($"PostgreSQL did not start: {LastWords(output)}");
            if (Postmaster.Read(cluster!) is { IsReady: true } ready && ready.ProcessId == server.Id)
            {
                running = ready;
                log.LogInformation("PostgreSQL {Major} runs (process {Pid}, port {Port}) after {Milliseconds:0} ms", binaries.Major, ready.ProcessId, ready.Port, clock.GetElapsedTime(began).TotalMilliseconds);
                return;
            }
            if (clock.GetElapsedTime(began) - said > SaysThatItWaits)
                log.LogInformation("PostgreSQL is still getting ready after {Seconds:0} s", (said = clock.GetElapsedTime(began)).TotalSeconds);
            await Task.Delay(Step, clock, ct);
        }
    }

    async Task EnsureDatabase(string password, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(Connection(running!.Port, password, "postgres", pooling: false));
        await connection.OpenAsync(ct);
        await using var exists = new NpgsqlCommand("select 1 from pg_database where datname = $1", connection) { Parameters = { new() { Value = DatabaseName } } };
        if (await exists.ExecuteScalarAsync(ct) is not null) return;
        await using var create = new NpgsqlCommand($"create database {DatabaseName}", connection);
        await create.ExecuteNonQueryAsync(ct);
    }

    async Task EndOrphans(string folder)
    {
        foreach (var pid in Postmaster.ProcessesOf(folder)) await End(folder, pid, TimeSpan.FromSeconds(5), "QUIT");
    }

    /// <summary>Asks first, then insists: INT is PostgreSQL's fast clean stop, QUIT its immediate one.</summary>
    async Task End(string folder, int pid, TimeSpan patience, string first = "INT")
    {
        foreach (var (signal, wait) in new[] { (first, patience), ("QUIT", TimeSpan.FromSeconds(5)), ("KILL", TimeSpan.FromSeconds(5)) })
        {
            await Postmaster.Signal(signal, [pid]);
            // A process that was stopped hears nothing before it goes on.
            await Postmaster.Signal("CONT", Postmaster.ProcessesOf(folder));
            var began = clock.GetTimestamp();
            while (clock.GetElapsedTime(began) < wait)
            {
                if (!Postmaster.ProcessesOf(folder).Contains(pid)) return;
                await Task.Delay(Step, clock, CancellationToken.None);
            }
            log.LogWarning("PostgreSQL (process {Pid}) did not heed SIG{Signal} for {Seconds:0} s", pid, signal, wait.TotalSeconds);
        }
    }

    string PasswordFile => Path.Combine(data.Private("keys"), "postgres.password");

    string Password() => File.Exists(PasswordFile) ? File.ReadAllText(PasswordFile).Trim()
        : throw new CannotStartException($"{PasswordFile} is missing: without it the database in {cluster} cannot be opened. Restore it from a backup of the data folder.");

    static string Connection(int port, string password, string database = DatabaseName, bool pooling = true) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = Role,
        Password = password,
        Database = database,
        Pooling = pooling,
        MaxPoolSize = 60,
        Timeout = Persistence.Database.ConnectSeconds,
        CommandTimeout = Persistence.Database.CommandSeconds,
    }.ConnectionString;

    /// <summary>The same port at every start if it is free; below the range that outgoing connections use.</summary>
    int FreePort()
    {
        var wished = 20_000 + Convert.ToInt32(data.Hash[..4], 16) % 10_000;
        return Enumerable.Range(wished, 200).FirstOrDefault(IsFree, 0) is var port and > 0 ? port : throw new IOException($"No free port between {wished} and {wished + 199}.");
    }

    static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static string LastWords(string file) =>
        File.Exists(file) && string.Join(' ', File.ReadLines(file).TakeLast(4)) is { Length: > 0 } words ? words : "it ended without a word.";
}
