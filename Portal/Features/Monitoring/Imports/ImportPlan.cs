using System.Security.Cryptography;
using System.Text;
using Portal.Domain.Monitoring;

namespace Portal.Features.Monitoring.Imports;

/// <summary>What becomes of one monitor of a file.</summary>
public enum ImportStep { Create, Change, Same, LeftOut, Wrong }

/// <param name="Line">Of a table; the position in a backup.</param>
/// <param name="Summary">What is looked at and how, in one sentence.</param>
/// <param name="Differences">What changes on one that is there.</param>
/// <param name="Notes">What of it is otherwise here.</param>
/// <param name="Why">The rule that it breaks, or why it is left out.</param>
/// <param name="Field">The column that <paramref name="Why"/> is about.</param>
/// <param name="PrivateHost">It leads to a private address, or the table allows one there: somebody has to agree.</param>
public sealed record PlannedMonitor(int Line, string Name, ImportStep Step, string? Summary, IReadOnlyList<string> Differences, IReadOnlyList<string> Notes, string? Why = null, string? Field = null, string? PrivateHost = null);

/// <summary>What an import would do; nothing of it is done.</summary>
/// <param name="Before">When this very file was taken in before.</param>
public sealed record ImportPlan(ImportFormat Format, IReadOnlyList<PlannedMonitor> Monitors, IReadOnlyList<string> Notes, MonitorImport? Before)
{
    public int Count(ImportStep step) => Monitors.Count(m => m.Step == step);

    public IReadOnlyList<PlannedMonitor> Private => [.. Monitors.Where(m => m.PrivateHost is not null)];

    /// <summary>A file is taken in whole or not at all.</summary>
    public bool CanBeDone => Count(ImportStep.Wrong) == 0 && Count(ImportStep.Create) + Count(ImportStep.Change) > 0;

    /// <summary>By which it is known that what is done is what was shown.</summary>
    public string Mark { get; } = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Monitors.Select(m => $"{m.Line}\t{m.Step}\t{m.Name}\t{m.Summary}\t{m.PrivateHost}\t{string.Join('\t', m.Differences)}")))));
}
