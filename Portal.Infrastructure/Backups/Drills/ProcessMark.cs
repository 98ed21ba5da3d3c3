using System.Globalization;

namespace Portal.Infrastructure.Backups.Drills;

/// <summary>Which process it is, also after its number was given to another one.</summary>
/// <param name="Start">Hundredths of a second since the machine's start.</param>
/// <param name="Boot">The kernel's name for this run of the machine.</param>
public sealed record ProcessMark(int Id, long Start, string Boot)
{
    public static ProcessMark Own => Of(Environment.ProcessId) ?? throw new InvalidOperationException("This process is not among those that run.");

    /// <summary>Null where no such process lives.</summary>
    public static ProcessMark? Of(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // The name in brackets may itself hold blanks and brackets; the fields here begin with the third.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new ProcessMark(id, long.Parse(fields[19], CultureInfo.InvariantCulture), File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
        }
        catch (IOException)
        {
            return null;
        }
    }

    public bool IsAlive() => Of(Id) == this;
}
