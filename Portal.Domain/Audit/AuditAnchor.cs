using System.Globalization;

namespace Portal.Domain.Audit;

/// <summary>A seal of the audit chain as it stood at a moment, kept outside of the database: who rewrites the rows cannot rewrite it too.</summary>
/// <param name="Log">Which log it is of: 32 lower-case hex digits.</param>
/// <param name="Sequence">The place in the chain of the newest row that was sealed then.</param>
/// <param name="Hash">That row's seal: 64 lower-case hex digits.</param>
public sealed record AuditAnchor(string Log, long Sequence, string Hash, DateTimeOffset At);

/// <summary>Under which names a database's audit log is anchored, oldest first. A copy that was restored goes on under a name of its own, so that its rows are not held against anchors of what the restore lost.</summary>
/// <param name="Names">Each with the place in the chain after which it counts.</param>
public sealed record AuditLineage(IReadOnlyList<(string Name, long After)> Names)
{
    public string Current => Names[^1].Name;

    /// <summary>As it is stored: names with commas between, each but the first with the row after which it counts.</summary>
    public string Text => string.Join(',', Names.Select(n => n.After == 0 ? n.Name : string.Create(CultureInfo.InvariantCulture, $"{n.Name}@{n.After}")));

    /// <returns>Null where it cannot be read.</returns>
    public static AuditLineage? Read(string? text)
    {
        var names = new List<(string, long)>();
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, after) = part.Split('@') is [var n, var a] && long.TryParse(a, NumberStyles.None, CultureInfo.InvariantCulture, out var row) ? (n, row) : (part, 0);
            if (name.Length != 32 || !name.All(char.IsAsciiHexDigitLower)) return null;
            names.Add((name, after));
        }
        return names.Count > 0 ? new AuditLineage(names) : null;
    }

    public AuditLineage GoOnAs(string name, long after) => new([.. Names, (name, after)]);

    /// <summary>Whether an anchor is of this log, and of rows that it still holds.</summary>
    public Vouching About(AuditAnchor anchor)
    {
        for (var i = 0; i < Names.Count; i++)
            if (Names[i].Name == anchor.Log) return Names.Skip(i + 1).All(later => anchor.Sequence <= later.After) ? Vouching.Counts : Vouching.OfLostRows;
        return Vouching.OfAnotherLog;
    }
}

/// <summary>What an anchor says of a log.</summary>
public enum Vouching
{
    Counts,
    /// <summary>Its rows were lost by a restore.</summary>
    OfLostRows,
    OfAnotherLog,
}
