using System.Diagnostics;
using System.Globalization;
using System.Text;
using Portal.Domain.Backups;
using Portal.Infrastructure.Postgres;

namespace Portal.Infrastructure.Backups;

/// <summary>A program at one end of a pipe, in a process group of its own, that ends with us: whoever gives it up ends all of it.</summary>
sealed class ToolProcess : IAsyncDisposable
{
    const int KeptOfErrors = 64 * 1024;
    static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(10);
    readonly Process process;
    readonly Task<string> errors;
    readonly CancellationTokenRegistration ending;

    ToolProcess(Process process, CancellationToken ct)
    {
        this.process = process;
        errors = Keep(process.StandardError);
        // A read of a pipe may not hear of a cancellation; the end of the program is heard.
        ending = ct.UnsafeRegister(static p => EndAtOnce((Process)p!), process);
    }

    public Stream Output => process.StandardOutput.BaseStream;

    public Stream Input => process.StandardInput.BaseStream;

    /// <summary>Also the number of its group.</summary>
    public int Id => process.Id;

    /// <exception cref="BackupFailedException">It is not installed.</exception>
    public static ToolProcess Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, CancellationToken ct)
    {
        try
        {
            if (!File.Exists(program)) throw new CannotStartException($"{program} is not there.");
            var start = new ProcessStartInfo(Programs.Find("setsid"), [program, .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardErrorEncoding = Encoding.UTF8,
                WorkingDirectory = "/",
            };
            // Nothing of ours: our own settings may be there, secrets among them, and PG* variables would lead elsewhere.
            start.Environment.Clear();
            start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin";
            start.Environment["LC_ALL"] = "C.UTF-8";
            foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
            return new ToolProcess(Process.Start(start)!, ct);
        }
        catch (Exception e) when (e is CannotStartException or System.ComponentModel.Win32Exception)
        {
            throw new BackupFailedException(BackupFailure.Refused, $"{program} cannot be run: {e.Message}", e);
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit code, and all that it said, on one line.</returns>
    public async Task<(int ExitCode, string Said)> End(CancellationToken ct)
    {
        await process.WaitForExitAsync(ct);
        var said = await errors.WaitAsync(ct);
        return (process.ExitCode, string.Join(' ', said.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)));
    }

    /// <summary>Feeds it and waits for its end. One that ends early has its own reasons to tell.</summary>
    public async Task<(int ExitCode, string Said)> Fed(Stream from, CancellationToken ct)
    {
        var output = Output.CopyToAsync(Stream.Null, ct);
        var buffer = new byte[1 << 17];
        while (await from.ReadAsync(buffer, ct) is var read and > 0)
            if (!await Give(buffer.AsMemory(0, read), ct)) break;
        Input.Close();
        await output;
        return await End(ct);
    }

    async Task<bool> Give(ReadOnlyMemory<byte> piece, CancellationToken ct)
    {
        try
        {
            await Input.WriteAsync(piece, ct);
            return true;
        }
        catch (IOException)
        {
            // A broken pipe: it ended, and says why.
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.DisposeAsync();
        if (!process.HasExited) await Kill();
        process.Dispose();
    }

    /// <summary>The whole group, so that nothing goes on that it had started itself.</summary>
    async Task Kill()
    {
        await Programs.Run(["sh", "-c", "kill -s KILL -- \"-$1\"", "sh", process.Id.ToString(CultureInfo.InvariantCulture)], CancellationToken.None);
        EndAtOnce(process);
        using var within = new CancellationTokenSource(EndsWithin, TimeProvider.System);
        await process.WaitForExitAsync(within.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    static void EndAtOnce(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself just now.
            return;
        }
    }

    /// <summary>The beginning is kept, the rest is read and dropped: a program must not wait for somebody to listen.</summary>
    static async Task<string> Keep(StreamReader from)
    {
        var kept = new StringBuilder();
        var buffer = new char[4096];
        while (await from.ReadAsync(buffer, CancellationToken.None) is var read and > 0)
            kept.Append(buffer, 0, Math.Min(read, KeptOfErrors - kept.Length));
        return kept.ToString();
    }
}
