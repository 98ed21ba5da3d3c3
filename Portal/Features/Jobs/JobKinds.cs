using System.Text.Json;
using Portal.Domain.Jobs;

namespace Portal.Features.Jobs;

/// <summary>The kinds of job that this version knows, by their names.</summary>
public sealed class JobKinds(IEnumerable<JobKind> kinds)
{
    readonly Dictionary<string, JobKind> byName = kinds.ToDictionary(k => k.Name);

    public IEnumerable<JobKind> All => byName.Values.OrderBy(k => k.Title, StringComparer.Ordinal);

    /// <summary>What people read; of a kind that this version does not know its name.</summary>
    public string TitleOf(string kind) => byName.GetValueOrDefault(kind)?.Title ?? kind;

    /// <summary>The page of what it found; null where there is none.</summary>
    public string? PageOf(JobRun run) => byName.GetValueOrDefault(run.Kind)?.Page(run.Id);

    /// <summary>What the result of a run says; null where it says nothing more.</summary>
    public string? ResultOf(JobRun run)
    {
        if (run.Result is not { } result || byName.GetValueOrDefault(run.Kind) is not { } kind) return null;
        try
        {
            return kind.InWords(JsonSerializer.Deserialize<JsonElement>(result));
        }
        catch (JsonException)
        {
            // An older version wrote it otherwise: then it stands there as it is.
            return null;
        }
    }
}
