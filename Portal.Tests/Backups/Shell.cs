using System.Diagnostics;

namespace Portal.Tests.Backups;

/// <summary>Stock programs, as a person would type them.</summary>
static class Shell
{
    public static async Task<(int Exit, string Output, string Error)> Run(string script, string folder, string? input = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input ?? "");
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <returns>What it printed; anything on the error output fails the test.</returns>
    public static async Task<string> Works(string script, string folder, string? input = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var (exit, output, error) = await Run(script, folder, input, environment);
        Assert.True(exit == 0 && error.Length == 0, $"{script}\nended with {exit}: {error}{output}");
        return output;
    }
}
