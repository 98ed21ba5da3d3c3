using System.Globalization;

namespace Portal.Benchmarks;

/// <summary>What a process has used, as the kernel counts it.</summary>
static class Processes
{
    const int MillisecondsPerTick = 10;

    public static TimeSpan Cpu(int pid)
    {
        var fields = File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1].Split(' ');
        return TimeSpan.FromMilliseconds(MillisecondsPerTick * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    /// <summary>Resident, in bytes.</summary>
    public static double Memory(int pid) =>
        1024 * double.Parse(File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
