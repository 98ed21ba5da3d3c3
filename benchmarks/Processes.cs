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
    public static double Memory(int pid) => Kept(pid, "VmRSS:");

    /// <summary>The most that was resident since <see cref="ForgetMostMemory"/>, as the kernel keeps it: nothing falls between two looks.</summary>
    public static double MostMemory(int pid) => Kept(pid, "VmHWM:");

    public static void ForgetMostMemory(int pid) => File.WriteAllText($"/proc/{pid}/clear_refs", "5");

    /// <returns>Empty where it has ended.</returns>
    public static string Name(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    static double Kept(int pid, string line) =>
        1024 * double.Parse(File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith(line, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
