using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Portal.Infrastructure.Postgres;

namespace Portal.Tests.Support;

/// <summary>The built program as a process of its own, which can be killed; its data folder and whatever it leaves behind end with the test.</summary>
sealed class PortalProcess : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    readonly ConcurrentQueue<string> lines = new();
    readonly Process process;

    PortalProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, e) => lines.Enqueue(e.Data ?? "");
        process.ErrorDataReceived += (_, e) => { if (e.Data is { } line) Errors.Enqueue(line); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public ConcurrentQueue<string> Errors { get; } = new();
    public int Id => process.Id;
    public bool HasExited => process.HasExited;
    public string Output => string.Join('\n', lines);

    /// <summary>Beside the tests' own output: the same configuration and framework.</summary>
    static string Program => Path.Combine(AppContext.BaseDirectory.Replace("/Portal.Tests/", "/Portal/", StringComparison.Ordinal), "Portal.dll");

    /// <summary>Serves on a free port.</summary>
    public static PortalProcess Serve(string data, Dictionary<string, string>? settings = null, params string[] more) =>
        Start(data, settings, ["--urls", "http://127.0.0.1:0", .. more]);

    public static PortalProcess Start(string data, Dictionary<string, string>? settings, params string[] arguments) => StartFrom("/", data, settings, arguments);

    public static PortalProcess StartFrom(string from, string data, Dictionary<string, string>? settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments, "--data", data]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = from };
        foreach (var (key, value) in settings ?? []) start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return new PortalProcess(Process.Start(start)!);
    }

    /// <summary>Serves as a user who may do nothing else, from a copy of the program that this user can read.</summary>
    public static PortalProcess ServeAs(string user, ScratchFolder scratch, string data, string from)
    {
        var program = scratch["program"];
        Copy(Path.GetDirectoryName(Program)!, program);
        // Where static files lie in the checkout is nobody else's business; installed, they would lie beside the program.
        File.Delete(Path.Combine(program, "Portal.staticwebassets.runtime.json"));
        Directory.CreateDirectory(data);
        using (var chown = Process.Start("chown", [user, data])) chown.WaitForExit();
        var start = new ProcessStartInfo("setpriv", [$"--reuid={user}", "--regid=65534", "--clear-groups", "dotnet", Path.Combine(program, "Portal.dll"), "--urls", "http://127.0.0.1:0", "--data", data])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = from,
        };
        start.Environment["HOME"] = data;
        start.Environment.Remove("XDG_RUNTIME_DIR");
        return new PortalProcess(Process.Start(start)!);
    }

    static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.GetDirectories(from)) Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    /// <returns>The address of "Portal is ready at".</returns>
    public async Task<Uri> Ready() => new((await Line("Portal is ready at "))[("Portal is ready at ".Length)..]);

    public async Task<string> Line(string part)
    {
        await Until(() => process.HasExited || lines.Any(l => l.Contains(part, StringComparison.Ordinal)), $"a line with \"{part}\"", () => $"{Output}\n{string.Join('\n', Errors)}");
        // It may have ended before its last words were handed over.
        if (process.HasExited && !lines.Any(l => l.Contains(part, StringComparison.Ordinal))) await Exit();
        return lines.FirstOrDefault(l => l.Contains(part, StringComparison.Ordinal)) ?? throw new InvalidOperationException($"It ended without \"{part}\": {Output}\n{string.Join('\n', Errors)}");
    }

    public async Task<int> Exit()
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    public void Signal(string name) => Send(name, process.Id);

    public static void Send(string signal, params int[] processes)
    {
        using var kill = Process.Start("sh", ["-c", "kill \"$@\"", "sh", $"-{signal}", .. processes.Select(p => $"{p}")]);
        kill.WaitForExit();
    }

    /// <summary>As Ctrl-C does.</summary>
    public async Task<int> Stop()
    {
        if (!process.HasExited) Signal("INT");
        return await Exit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) Signal("INT");
        try
        {
            await Exit();
        }
        catch (TimeoutException)
        {
            process.Kill();
        }
        process.Dispose();
    }

    public static async Task Until(Func<bool> condition, string what, Func<string>? seen = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(began) > Patience) throw new TimeoutException($"Waited in vain for {what}. {seen?.Invoke()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A data folder that PostgreSQL's user can reach, removed with everything that still runs in it.</summary>
sealed class ScratchFolder : IDisposable
{
    static int count;

    public ScratchFolder() => Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"portal-t{Environment.ProcessId}-{Interlocked.Increment(ref count)}");

    public string Path { get; }
    public string Cluster => System.IO.Path.Combine(Path, "postgres");
    public Postmaster? Postmaster => Infrastructure.Postgres.Postmaster.Read(Cluster);

    public string this[params string[] names] => System.IO.Path.Combine([Path, .. names]);

    public void Dispose()
    {
        var cluster = new DirectoryInfo(Cluster).LinkTarget ?? Cluster;
        if (Infrastructure.Postgres.Postmaster.ProcessesOf(cluster) is { Count: > 0 } left) PortalProcess.Send("KILL", [.. left]);
        // Those that were killed may still write while the tree is removed.
        for (var attempt = 0; Infrastructure.Postgres.Postmaster.ProcessesOf(cluster).Count > 0 && attempt < 1_000; attempt++) Thread.Yield();
        if (cluster != Cluster && Directory.Exists(cluster)) Directory.Delete(cluster, recursive: true);
        if (Directory.Exists(Path)) Directory.Delete(Path, recursive: true);
    }
}
