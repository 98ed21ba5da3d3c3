using System.Text.Json;
using Portal.Domain.Shared;

namespace Portal.Domain.Drills;

/// <summary>What is taken to have happened. Scripts name them in lower case with hyphens: database-lost.</summary>
public enum DrillScenario
{
    /// <summary>The database is lost or corrupted: it is restored from its newest backup.</summary>
    DatabaseLost,
    /// <summary>Somebody deleted something: back to a moment before it.</summary>
    AccidentalDeletion,
    NodeLost,
    /// <summary>The region, or the store of the backups: restored from the second store.</summary>
    StoreLost,
    /// <summary>Restored on a clean host from store and escrowed key alone.</summary>
    Ransomware,
    BackupServiceLost,
}

/// <summary>The names of scenarios, for scripts and for people.</summary>
public static class DrillScenarios
{
    public static string NameOf(DrillScenario scenario) => JsonNamingPolicy.KebabCaseLower.ConvertName(scenario.ToString());

    /// <exception cref="DomainException">It is none, or none that this version can drill.</exception>
    public static DrillScenario Parse(string? name)
    {
        var all = Enum.GetValues<DrillScenario>();
        var found = Array.FindIndex(all, s => NameOf(s) == name);
        if (found < 0) throw new DomainException($"The scenario is one of {string.Join(", ", all.Select(NameOf))}.", "scenario");
        return all[found] == DrillScenario.DatabaseLost ? DrillScenario.DatabaseLost
            : throw new DomainException($"The scenario {name} is not built yet: {NameOf(DrillScenario.DatabaseLost)} is.", "scenario");
    }

    public static string Words(DrillScenario scenario) => scenario switch
    {
        DrillScenario.DatabaseLost => "Database lost or corrupted",
        DrillScenario.AccidentalDeletion => "Accidental deletion",
        DrillScenario.NodeLost => "Application node lost",
        DrillScenario.StoreLost => "Region or store lost",
        DrillScenario.Ransomware => "Ransomware or stolen credentials",
        _ => "Backup service lost",
    };
}
