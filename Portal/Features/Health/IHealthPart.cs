namespace Portal.Features.Health;

public enum PartState
{
    Ok,
    Failing,
    /// <summary>Nobody has set it up, or this version does not have it yet: neither good nor bad.</summary>
    NotConfigured,
}

/// <summary>How one part of this installation is.</summary>
/// <param name="Note">In words what is wrong, or why it is not configured; null when all is well.</param>
/// <param name="Figures">Numbers and names for people who run the portal; never shown to others.</param>
public sealed record PartReport(PartState State, string? Note = null, IReadOnlyDictionary<string, object?>? Figures = null)
{
    public static PartReport Ok(params IEnumerable<(string Name, object? Value)> figures) => new(PartState.Ok, null, figures.ToDictionary(f => f.Name, f => f.Value));

    public static PartReport Failing(string note) => new(PartState.Failing, note);

    public static PartReport NotConfigured(string note) => new(PartState.NotConfigured, note);
}

/// <summary>A part that the portal looks at by really using it, for its own monitors and for whoever runs it.</summary>
public interface IHealthPart
{
    /// <summary>The last word of its address, <c>/health/parts/{name}</c>.</summary>
    string Name { get; }

    /// <summary>Cheap enough for every second. An exception means that it fails.</summary>
    Task<PartReport> Look(CancellationToken ct);
}
