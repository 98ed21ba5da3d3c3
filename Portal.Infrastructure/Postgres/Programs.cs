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
        var start = new ProcessStartInfo(command[0], command.Skip(1))
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
