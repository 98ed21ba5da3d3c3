using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Portal.Benchmarks;

/// <summary>One bounded run of wrk against an address of this machine, without think time: it tells throughput and its latency under saturation.</summary>
/// <param name="P99">Milliseconds.</param>
/// <param name="GeneratorCpu">Processors that wrk itself kept busy.</param>
/// <param name="BytesEach">Mean size of an answer with its headers.</param>
sealed record Load(double PerSecond, double P50, double P99, long Errors, double GeneratorCpu, double BytesEach);

static class Wrk
{
    public static async Task<Load> Run(string url, int connections, int seconds, string? etag = null, bool randomQuery = false)
    {
        var script = Path.Combine(Path.GetTempPath(), $"portal-bench-{Environment.ProcessId}.lua");
        await File.WriteAllTextAsync(script, Script(etag, randomQuery));
        try
        {
            string[] arguments = ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "10s", "--latency", "-s", script, url];
            using var process = Process.Start(new ProcessStartInfo("wrk", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var cpu = TimeSpan.Zero;
            while (!process.HasExited)
            {
                cpu = CpuOf(process.Id) ?? cpu;
                await Task.Delay(100);
            }
            return Parse(await output, cpu.TotalSeconds / seconds);
        }
        finally
        {
            File.Delete(script);
        }
    }

    static string Script(string? etag, bool randomQuery) => $$"""
        wrk.headers["Accept-Encoding"] = "gzip"
        wrk.headers["Accept-Language"] = "en"
        {{(etag is null ? "" : $"wrk.headers[\"If-None-Match\"] = '{etag}'")}}
        math.randomseed(os.time())
        {{(randomQuery ? "request = function() return wrk.format('GET', wrk.path .. '?x=' .. math.random(1, 2000000000)) end" : "")}}
        """;

    static Load Parse(string output, double cpu)
    {
        var perSecond = Match(output, @"Requests/sec:\s+([\d.]+)");
        if (perSecond.Length == 0) throw new InvalidOperationException($"wrk said nothing that can be read:\n{output}");
        var errors = Regex.Match(output, @"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)").Groups.Values.Skip(1).Sum(g => g.Length > 0 ? long.Parse(g.Value, CultureInfo.InvariantCulture) : 0)
            + (Match(output, @"Non-2xx or 3xx responses: (\d+)") is { Length: > 0 } bad ? long.Parse(bad, CultureInfo.InvariantCulture) : 0);
        return new Load(double.Parse(perSecond, CultureInfo.InvariantCulture), Milliseconds(Match(output, @"50%\s+([\d.]+\w+)")), Milliseconds(Match(output, @"99%\s+([\d.]+\w+)")), errors, cpu,
            Bytes(Match(output, @"requests in \S+, ([\d.]+\w+) read")) / double.Parse(Match(output, @"(\d+) requests in"), CultureInfo.InvariantCulture));
    }

    static double Bytes(string text)
    {
        var digits = text.TrimEnd('B', 'K', 'M', 'G', 'T');
        return double.Parse(digits, CultureInfo.InvariantCulture) * Math.Pow(1024, "BKMGT".IndexOf(text[digits.Length], StringComparison.Ordinal));
    }

    static string Match(string text, string pattern) => Regex.Match(text, pattern).Groups[1].Value;

    static double Milliseconds(string text)
    {
        var unit = text.TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '.');
        var value = double.Parse(text[..^unit.Length], CultureInfo.InvariantCulture);
        return unit switch { "us" => value / 1_000, "ms" => value, "s" => value * 1_000, "m" => value * 60_000, _ => throw new FormatException($"wrk wrote an unknown unit: {text}") };
    }

    static TimeSpan? CpuOf(int pid)
    {
        try
        {
            return Processes.Cpu(pid);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
