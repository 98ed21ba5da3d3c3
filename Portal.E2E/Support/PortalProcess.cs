using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Portal.E2E.Support;

/// <summary>A portal as a person starts it, with <c>./run --no-build</c>, on a data folder and a port of its own.</summary>
sealed class PortalProcess : IAsyncDisposable
{
    public const string AdminEmail = "alice@example.com", AdminPassword = "correct horse battery staple", ApiKey = "e2e-key-0123456789abcdef0123456789abcdef";

    readonly StringBuilder log = new();
    readonly string folder;
    readonly bool demo, unattended;
    readonly IReadOnlyDictionary<string, string> environment;
    TaskCompletionSource ready = new();
    Stopwatch clock = new();
    bool fresh;
    Process? process;

    /// <summary>Not started yet: a fault may come before it is ready.</summary>
    /// <param name="unattended">An administrator and an API key exist from the start; otherwise the first one is made through the printed link.</param>
    /// <param name="folder">Where its data folder will be; a new temporary one unless given.</param>
    /// <param name="environment">What this portal's processes see beside the rest.</param>
    public PortalProcess(bool demo = false, bool unattended = true, string? folder = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        (this.demo, this.unattended, this.environment) = (demo, unattended, environment ?? new Dictionary<string, string>());
        this.folder = folder ?? Directory.CreateTempSubdirectory("portal-e2e-").FullName;
        // PostgreSQL runs as another user and must be able to reach the data folder.
        File.SetUnixFileMode(this.folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        Url = $"http://127.0.0.1:{Ports.Free()}";
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromSeconds(5) }) { BaseAddress = new Uri(Url), Timeout = TimeSpan.FromSeconds(20) };
    }

    public string Url { get; }
    public HttpClient Http { get; }
    public string Data => Path.Combine(folder, "data");
    public string? SetupLink { get; private set; }
    public int Pid => process?.Id ?? 0;
    public TimeSpan ReadyAfter { get; private set; }

    public static async Task<PortalProcess> Start(bool demo = false, bool unattended = true)
    {
        var portal = new PortalProcess(demo, unattended);
        try
        {
            await portal.Start();
            return portal;
        }
        catch
        {
            await portal.DisposeAsync();
            throw;
        }
    }

    public async Task Start()
    {
        Launch();
        await Ready();
    }

    /// <summary>Starts the process and does not wait for it.</summary>
    public void Launch()
    {
        (clock, fresh) = (Stopwatch.StartNew(), !Directory.Exists(Data));
        var start = new ProcessStartInfo(Path.Combine(Checkout.Root, "run")) { WorkingDirectory = Checkout.Root, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["--no-build", "--data", Data, "--urls", Url, .. demo && fresh ? ["--demo"] : Array.Empty<string>()]) start.ArgumentList.Add(argument);
        // Nothing that this machine has set decides what is tested.
        foreach (var name in start.Environment.Keys.Where(k => k.Contains("__", StringComparison.Ordinal) || k.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || k is "Urls" or "SENTRY_DSN").ToList()) start.Environment.Remove(name);
        if (unattended) (start.Environment["Bootstrap__AdminEmail"], start.Environment["Bootstrap__AdminPassword"], start.Environment["Bootstrap__ApiKey"]) = (AdminEmail, AdminPassword, ApiKey);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var said = ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, e) => Read(e.Data, said);
        process.ErrorDataReceived += (_, e) => Read(e.Data, said);
        process.Exited += (_, _) => said.TrySetException(new InvalidOperationException("./run ended before it was ready"));
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public async Task Ready()
    {
        try
        {
            await ready.Task.WaitAsync(TimeSpan.FromSeconds(90));
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException($"The portal did not start: {e.Message}\n{Tail()}", e);
        }
        ReadyAfter = clock.Elapsed;
        // The page is served before everything that needs the database has been done.
        if (fresh && !unattended) await Wait.Until("the set-up link is printed", () => SetupLink is not null, 60);
        else if (unattended) await Wait.Until("the API key works", TakesTheKey, 60);
    }

    async Task<bool> TakesTheKey()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/components?limit=1") { Headers = { { "Authorization", $"Bearer {ApiKey}" } } };
        using var answer = await Http.SendAsync(request);
        return answer.IsSuccessStatusCode;
    }

    void Read(string? line, TaskCompletionSource ready)
    {
        if (line is null) return;
        lock (log) log.AppendLine(line);
        Told.ByPortal(line);
        if (Regex.Match(line, @"Create the first administrator at (\S+)") is { Success: true } link) SetupLink = link.Groups[1].Value;
        if (line.Contains("Portal is ready at", StringComparison.Ordinal)) ready.TrySetResult();
    }

    public string Log() { lock (log) return log.ToString(); }

    public IReadOnlyList<string> ErrorLines() => [.. Log().Split('\n').Where(Told.IsError)];

    public string Tail() => string.Join('\n', Log().Split('\n').TakeLast(40));

    /// <summary>As Ctrl-C does.</summary>
    public async Task Stop()
    {
        if (process is null or { HasExited: true }) return;
        Signals.Send("INT", process.Id);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The portal did not stop within 40 s of Ctrl-C.\n{Tail()}");
        }
    }

    /// <summary>SIGKILL: no clean-up at all.</summary>
    public async Task Kill()
    {
        Signals.Send("KILL", process!.Id);
        await process.WaitForExitAsync();
    }

    /// <summary>The embedded PostgreSQL's main process; it has written its number into its folder.</summary>
    public int PostmasterPid => int.Parse(File.ReadLines(Path.Combine(Data, "postgres", "postmaster.pid")).First(), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>As somebody with the keys of the machine changes the database behind the portal's back.</summary>
    public Task Sql(string statement) => Ask(statement);

    /// <returns>The one value that the statement answers.</returns>
    public async Task<string> Ask(string statement, string database = "portal")
    {
        var start = new ProcessStartInfo("psql", ["-h", "127.0.0.1", "-p", File.ReadLines(Path.Combine(Data, "postgres", "postmaster.pid")).ElementAt(3), "-U", "portal", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", statement]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["PGPASSWORD"] = (await File.ReadAllTextAsync(Path.Combine(Data, "keys", "postgres.password"))).Trim();
        using var psql = Process.Start(start)!;
        var (answer, said) = (psql.StandardOutput.ReadToEndAsync(), psql.StandardError.ReadToEndAsync());
        await psql.WaitForExitAsync();
        return psql.ExitCode == 0 ? (await answer).Trim() : throw new InvalidOperationException(await said);
    }

    public int[] PostgresFamily => [PostmasterPid, .. Signals.ChildrenOf(PostmasterPid)];

    public async ValueTask DisposeAsync()
    {
        var postmaster = File.Exists(Path.Combine(Data, "postgres", "postmaster.pid")) ? PostmasterPid : 0;
        try
        {
            if (postmaster > 0) Signals.Send("CONT", [.. Signals.ChildrenOf(postmaster), postmaster]);
            await Stop();
        }
        finally
        {
            if (postmaster > 0 && Signals.IsAlive(postmaster)) Signals.Send("QUIT", postmaster);
            Http.Dispose();
            process?.Dispose();
            if (Environment.GetEnvironmentVariable("PORTAL_E2E_KEEP") is null) TryDelete();
        }
    }

    void TryDelete()
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException e)
        {
            Console.WriteLine($"{folder} stays: {e.Message}");
        }
    }
}
