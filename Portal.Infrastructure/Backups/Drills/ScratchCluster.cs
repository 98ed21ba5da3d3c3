using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>A PostgreSQL of one drill's own: a socket in a folder that only its account can enter, no network where the machine allows that, gone with everything it holds when it is disposed.</summary>
/// <remarks>It writes as safely as a real one (fsync is on): what it took to restore is what it takes.</remarks>
public sealed class ScratchCluster : IAsyncDisposable
{
    const int Port = 5432, LongestSocket = 107;
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(25);

    readonly ServerAccount account;
    readonly TimeProvider clock;
    readonly ILogger log;
    /// <summary>No role of a database that is restored here has this name, nor its rights.</summary>
    readonly string superuser = $"portal_drill_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
    readonly string password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
    Process? child;
    string sockets = "";

    internal ScratchCluster(string run, string folder, ServerAccount account, TimeProvider clock, ILogger log) => (Run, Folder, this.account, this.clock, this.log) = (run, folder, account, clock, log);

    public string Run { get; }

    /// <summary>Whether it has a network of its own, with nothing in it; otherwise it only listens to none.</summary>
    public bool HasNoNetwork { get; private set; }

    /// <summary>Holds the cluster, its log, and the mark of its owner.</summary>
    public string Folder { get; }

    public string Cluster => Path.Combine(Folder, "cluster");

    string Output => Path.Combine(Folder, "postgres.log");

    /// <summary>Short, and the same for the same folder: the sweeper finds it too.</summary>
    string SocketName => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Folder)))[..16];

    /// <summary>The way to one of its databases, as a superuser; not pooled.</summary>
    public string ConnectionTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = sockets,
        Port = Port,
        Username = superuser,
        Password = password,
        Database = database,
        Pooling = false,
        Timeout = 15,
        CommandTimeout = 0,
    }.ConnectionString;

    /// <summary>For making databases.</summary>
    public string Server => ConnectionTo("postgres");

    /// <exception cref="IOException">It does not start; its last words are told.</exception>
    internal async Task Start(PostgresBinaries binaries, CancellationToken ct)
    {
        await ClusterVersion.Initialise(binaries, Cluster, account, password, ct, superuser);
        sockets = await SocketFolder.Make(account, SocketName, clock, log, ct);
        if (Encoding.UTF8.GetByteCount($"{sockets}/.s.PGSQL.{Port}") > LongestSocket) throw new CannotStartException($"The path of the socket in {sockets} is longer than {LongestSocket} bytes.");
        var server = account.Command(binaries["postgres"], ["-D", Cluster, .. Settings()]);
        // What is restored may hold ways to other servers: none of them leads anywhere from here.
        HasNoNetwork = account.Name is not null && (await Programs.Run(["unshare", "--net", "true"], ct)).Ok;
        string[] apart = HasNoNetwork ? [Programs.Find("unshare"), "--net", "--"] : [];
        // The shell only opens the log file: exec leaves the server as our child, setsid gives it a session of its own.
        var start = new ProcessStartInfo(Programs.Find("sh"), ["-c", "umask 077; log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "sh", Output, Programs.Find("setsid"), .. apart, .. server]) { WorkingDirectory = "/" };
        start.Environment.Clear();
        (start.Environment["LC_ALL"], start.Environment["PATH"]) = ("C.UTF-8", Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin");
        child = Process.Start(start)!;
        while (true)
        {
            if (child.HasExited) throw new IOException($"it did not start: {LastWords()}");
            if (Postmaster.Read(Cluster) is { IsReady: true } ready && ready.ProcessId == child.Id) return;
            await Task.Delay(Step, clock, ct);
        }
    }

    /// <summary>Everything else is PostgreSQL's default, fsync among it.</summary>
    IEnumerable<string> Settings() => new (string Name, string Value)[]
    {
        ("listen_addresses", ""), ("unix_socket_directories", sockets), ("unix_socket_permissions", "0700"), ("port", $"{Port}"),
        ("max_connections", "20"), ("shared_buffers", "128MB"), ("maintenance_work_mem", "128MB"), ("max_wal_size", "2GB"), ("timezone", "UTC"), ("log_timezone", "UTC"), ("log_min_error_statement", "panic"),
    }.SelectMany(s => new[] { "-c", $"{s.Name}={s.Value}" });

    /// <summary>What cannot be removed now does not spoil what was found out: the sweeper tries again.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await Remove();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.LogError(e, "The scratch server {Folder} cannot be removed; it is swept later", Folder);
        }
    }

    /// <summary>Ends every process of the cluster and removes all that it was. Nothing to remove is no failure.</summary>
    internal async Task Remove()
    {
        await End();
        // A server that stopped by itself took its file along.
        if (SharedMemory() is { } shared) await Programs.Run(["sh", "-c", "command -v ipcrm >/dev/null && ipcrm -m \"$1\" 2>/dev/null; true", "sh", shared], CancellationToken.None);
        child?.Dispose();
        child = null;
        SocketFolder.Remove(account, SocketName, log);
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }

    /// <summary>At once, as it will not be needed again: QUIT lets it clear away its shared memory, KILL is for what does not heed.</summary>
    async Task End()
    {
        foreach (var (signal, patience) in new[] { ("QUIT", TimeSpan.FromSeconds(8)), ("KILL", TimeSpan.FromSeconds(10)) })
        {
            var left = Processes();
            if (left.Count == 0) return;
            await Postmaster.Signal(signal, Postmaster.Read(Cluster) is { } head && signal != "KILL" && left.Contains(head.ProcessId) ? [head.ProcessId] : left);
            // Those that were stopped hear nothing before they go on.
            await Postmaster.Signal("CONT", left);
            var began = clock.GetTimestamp();
            while (clock.GetElapsedTime(began) < patience)
            {
                // A server that just began may have had children since.
                if ((left = Processes()).Count == 0) return;
                if (signal == "KILL") await Postmaster.Signal(signal, left);
                await Task.Delay(Step, TimeProvider.System, CancellationToken.None);
            }
        }
        throw new IOException($"Processes of the scratch server in {Cluster} do not end.");
    }

    /// <summary>Also those of an initdb that was broken off.</summary>
    List<int> Processes() => [.. Postmaster.ProcessesOf(Cluster), .. Postmaster.ProcessesOf(Cluster + ".new")];

    /// <summary>What a server that was killed leaves in the kernel; null where none is known.</summary>
    string? SharedMemory()
    {
        try
        {
            return File.ReadLines(Postmaster.FileOf(Cluster)).Skip(6).FirstOrDefault()?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var id] && int.TryParse(id, CultureInfo.InvariantCulture, out _) ? id : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    string LastWords() => File.Exists(Output) && string.Join(' ', File.ReadLines(Output).TakeLast(4)) is { Length: > 0 } words ? words : "it ended without a word.";
}
