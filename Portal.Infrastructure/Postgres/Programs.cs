using System.ComponentModel;
using System.Diagnostics;

namespace Portal.Infrastructure.Postgres;

/// <summary>What a program that ran to its end left behind.</summary>
public sealed record ProgramResult(int ExitCode, string Output, string Error)
{
    public bool Ok => ExitCode == 0;

    /// <summary>What it said last, on one line.</summary>
    public string Words => string.Join(' ', (Error.Length > 0 ? Error : Output).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).TakeLast(6));
}

/// <summary>Other programs, run to their end.</summary>
public static class Programs
{
    /// <param name="command">The program and its arguments; secrets belong into files, never here.</param>
    /// <exception cref="CannotStartException">The program is not installed.</exception>
    public static async Task<ProgramResult> Run(
        IReadOnlyList<string> command, CancellationToken ct, IReadOnlyDictionary<string, string>? environment = null, string workingDirectory = "/")
    {
        var start = new ProcessStartInfo(Find(command[0]), command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingDirectory,
        };
        // Messages are read by this program too: they must not depend on the machine's language.
        start.Environment["LC_ALL"] = "C.UTF-8";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Begin(start);
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var error = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new ProgramResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Where a program is. Never in the folder that we were started from, nor beside our own program, where <see cref="Process"/> looks first: one that lies there by chance or by intent would be run with our rights.</summary>
    /// <param name="name">A bare name, or an absolute path, which is taken as it is.</param>
    /// <param name="path">Folders as in PATH; those that are not absolute are passed over.</param>
    /// <exception cref="CannotStartException">The program is not installed.</exception>
    public static string Find(string name, string? path = null)
    {
        if (Path.IsPathFullyQualified(name)) return name;
        var folders = (path ?? Environment.GetEnvironmentVariable("PATH") ?? UsualPath).Split(':').Where(Path.IsPathFullyQualified);
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(CanBeRun)
            ?? throw new CannotStartException($"The program {name} is in none of the folders of PATH: install the package that brings it.");
    }

    const string UsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    static bool CanBeRun(string file) =>
        File.Exists(file) && (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;

    static Process Begin(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new CannotStartException($"The program {start.FileName} cannot be run: {e.Message}.");
        }
    }
}
