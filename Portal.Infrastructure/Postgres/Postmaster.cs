using System.Globalization;

namespace Portal.Infrastructure.Postgres;

/// <summary>A PostgreSQL server process, as its <c>postmaster.pid</c> and the kernel describe it.</summary>
/// <param name="StartedAt">As the server wrote it.</param>
/// <param name="IsReady">It wrote that it accepts connections.</param>
public sealed record Postmaster(int ProcessId, DateTimeOffset StartedAt, int Port, bool IsReady)
{
    public static string FileOf(string cluster) => Path.Combine(cluster, "postmaster.pid");

    /// <summary>Null when there is none or it is incomplete (it is being written).</summary>
    public static Postmaster? Read(string cluster)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(FileOf(cluster));
        }
        catch (IOException)
        {
            return null;
        }
        return lines.Length >= 4 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid) && long.TryParse(lines[2], CultureInfo.InvariantCulture, out var start) && int.TryParse(lines[3], CultureInfo.InvariantCulture, out var port)
            ? new Postmaster(pid, DateTimeOffset.FromUnixTimeSeconds(start), port, lines.Length >= 8 && lines[7].Trim() == "ready")
            : null;
    }

    /// <summary>A server works in its cluster's folder: any other process that got this number since does not.</summary>
    public bool LivesIn(string cluster) => WorksIn(ProcessId, cluster);

    /// <summary>Whether the process began when the file says; differs when the number was given again or the clock was set.</summary>
    public bool BeganAsWritten => StartOf(ProcessId) is { } began && (began - StartedAt).Duration() < TimeSpan.FromSeconds(5);

    /// <summary>Every process of that cluster, also those whose postmaster was killed.</summary>
    public static IReadOnlyList<int> ProcessesOf(string cluster) =>
        [.. Directory.EnumerateDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && WorksIn(pid, cluster))];

    /// <summary>By the shell's own kill: a small machine has no program of that name.</summary>
    public static Task Signal(string name, IReadOnlyList<int> processes) =>
        processes.Count == 0 ? Task.CompletedTask : Programs.Run(["sh", "-c", "kill \"$@\"", "sh", $"-{name}", .. processes.Select(p => $"{p}")], CancellationToken.None);

    static bool WorksIn(int pid, string cluster)
    {
        try
        {
            return new DirectoryInfo($"/proc/{pid}/cwd").LinkTarget == cluster && IsServer(pid) && StateOf(pid) != 'Z';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or it is somebody else's.
            return false;
        }
    }

    /// <summary>Whether a process of this number lives and is one of PostgreSQL's.</summary>
    public static bool IsServer(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").StartsWith("postgres", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    static char StateOf(int pid) => Fields(pid)[0][0];

    static DateTimeOffset? StartOf(int pid)
    {
        try
        {
            var boot = File.ReadLines("/proc/stat").First(l => l.StartsWith("btime ", StringComparison.Ordinal));
            // Field 22 of stat, in hundredths of a second since boot; the fields here begin with the third.
            var ticks = long.Parse(Fields(pid)[19], CultureInfo.InvariantCulture);
            return DateTimeOffset.FromUnixTimeSeconds(long.Parse(boot.AsSpan(6), CultureInfo.InvariantCulture)).AddMilliseconds(ticks * 10);
        }
        catch (IOException)
        {
            return null;
        }
    }

    // The name in brackets may itself hold blanks and brackets.
    static string[] Fields(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }
}
