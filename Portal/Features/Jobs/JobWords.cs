using System.Globalization;
using System.Text.Json;
using Portal.Components.Ui;
using Portal.Domain.Jobs;

namespace Portal.Features.Jobs;

/// <summary>How screens and notices tell of runs.</summary>
public static class JobWords
{
    static readonly CultureInfo Culture = CultureInfo.InvariantCulture;

    /// <summary>Name of the style and of the icon.</summary>
    public static (string Css, string Icon) Look(RunState state) => state switch
    {
        RunState.Queued => ("unknown", "clock"),
        RunState.Running => ("maintenance", "play"),
        RunState.Succeeded => ("operational", "operational"),
        RunState.Failed => ("major", "major"),
        RunState.Cancelled => ("unknown", "major"),
        RunState.Interrupted => ("partial", "partial"),
        _ => ("degraded", "degraded"),
    };

    public static string Text(RunState state) => state == RunState.Queued ? "Waits" : state.ToString();

    /// <summary>Where it stands, with what a person asked for meanwhile.</summary>
    public static string Text(JobRun run, DateTimeOffset now) => run.State switch
    {
        RunState.Running when run.CancelAskedAt is not null => "Being cancelled",
        RunState.Queued when run.Attempt > 0 => "Waits to be tried again",
        RunState.Queued when run.DueAt > now => "Scheduled",
        _ => Text(run.State),
    };

    public static string Attempt(JobRun run) => run.Attempt == 0 ? run.IsOver ? "none" : $"none yet, {run.MostAttempts} at most" : run.MostAttempts == 1 ? $"{run.Attempt}" : $"{run.Attempt} of {run.MostAttempts}";

    /// <summary>From its first beginning to its end; null while there is none.</summary>
    public static string? Took(JobRun run) => run is { StartedAt: { } began, EndedAt: { } ended } ? SpanWords.Of(ended - began) : null;

    /// <summary>"Sun 29 Nov, 03:30", by the clocks of that zone.</summary>
    public static string InZone(DateTimeOffset at, string zone) => TimeZoneInfo.ConvertTime(at, TimeZoneInfo.FindSystemTimeZoneById(zone)).ToString("ddd d MMM, HH:mm", Culture);

    /// <summary>What became of a run, in one sentence that can be handed on as it is; null before its end.</summary>
    /// <param name="title">Of its kind.</param>
    /// <param name="result">What its result says, from <see cref="JobKinds.ResultOf"/>.</param>
    public static string? Sentence(JobRun run, string title, string? result)
    {
        if (run.EndedAt is not { } ended) return null;
        var (what, when) = ($"{title} ({run.Subject})", string.Create(Culture, $"on {ended.UtcDateTime:d MMM yyyy} at {ended.UtcDateTime:HH:mm} UTC"));
        var after = Took(run) is { } took ? $" after {took}" : "";
        var tries = run.Attempt > 1 ? $" at attempt {run.Attempt}" : "";
        return run.State switch
        {
            RunState.Succeeded => Stop($"{what} succeeded {when}{after}{tries}{(result is null ? "" : $": {result}")}"),
            RunState.Cancelled => Stop($"{what} was cancelled {(run.CancelAskedBy is { } by ? $"by {by} " : "")}{when}{(run.StartedAt is null ? ", before it began" : after)}"),
            RunState.Interrupted => Stop($"{what} was interrupted {when}{after}: {run.Error} It does not begin again by itself"),
            RunState.Missed => Stop(string.Create(Culture, $"{what} was missed: it was due on {(run.Slot ?? run.DueAt).UtcDateTime:d MMM yyyy} at {(run.Slot ?? run.DueAt).UtcDateTime:HH:mm} UTC. {run.Error}")),
            _ => Stop($"{what} failed {when}{after}{tries}: {run.Error ?? "it did not say why."}"),
        };
    }

    /// <summary>The fields of a result, for whoever wants to see them as they are.</summary>
    public static IReadOnlyList<(string Name, string Value)> Fields(string? result)
    {
        if (result is null) return [];
        var root = JsonSerializer.Deserialize<JsonElement>(result);
        return root.ValueKind == JsonValueKind.Object ? [.. root.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null).Select(p => (Spoken(p.Name), Plain(p.Value)))] : [("Result", Plain(root))];
    }

    static string Plain(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Number when value.TryGetInt64(out var whole) => whole.ToString("N0", Culture),
        JsonValueKind.String => value.GetString()!,
        _ => value.GetRawText(),
    };

    /// <summary>"tablesRead" as "Tables read".</summary>
    static string Spoken(string name) => string.Concat(name.Select((c, i) => i == 0 ? char.ToUpperInvariant(c).ToString() : char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : c.ToString()));

    static string Stop(string sentence) => sentence.EndsWith('.') ? sentence : sentence + ".";
}
