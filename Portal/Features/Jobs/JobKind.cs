using System.Text.Json;
using Portal.Domain.Jobs;
using Portal.Infrastructure.Jobs;

namespace Portal.Features.Jobs;

/// <summary>A kind of long work. Adding one is one class, registered as a <see cref="JobKind"/> by its feature.</summary>
public abstract class JobKind
{
    /// <summary>As runs are stored and asked for: words with dashes.</summary>
    public abstract string Name { get; }

    /// <summary>What people read.</summary>
    public abstract string Title { get; }

    /// <summary>What its result says to a person, to stand after "succeeded:" and before the full stop; null where there is nothing to add.</summary>
    /// <param name="result">JSON, as <see cref="Run"/> returned it, perhaps in an older version.</param>
    public virtual string? InWords(JsonElement result) => null;

    /// <summary>The page that shows what a run found; null where there is none beside that of the job.</summary>
    public virtual string? Page(JobRunId run) => null;

    /// <summary>How its runs may be repeated, and which of them must be alone.</summary>
    public virtual RunRules Rules(string arguments) => new();

    /// <summary>A run that reports nothing for so long has failed.</summary>
    public virtual TimeSpan StallLimit => TimeSpan.FromMinutes(5);

    /// <summary>A run that takes longer has failed.</summary>
    public virtual TimeSpan Longest => TimeSpan.FromHours(24);

    /// <summary>Does it. Refusals in words (<c>DomainException</c>) end it at once; after any other exception it is tried again if its rules allow.</summary>
    /// <param name="ct">Ends when the run was cancelled or taken away, when it stalls, and when the portal stops: then everything that was begun is ended, and what is half done is removed.</param>
    /// <returns>The result, as JSON shows it; null for none.</returns>
    public abstract Task<object?> Run(RunContext run, CancellationToken ct);
}

/// <summary>What a kind of job knows of the run that it works on, and how it says how far it is. Safe for several threads.</summary>
public sealed class RunContext(ClaimedRun run, TimeProvider clock)
{
    /// <summary>What is written of the log at once; more is left out until the next time.</summary>
    const int MostWaiting = 1_000;

    readonly Lock gate = new();
    readonly List<(DateTimeOffset At, string Text)> lines = [];
    RunProgress progress = RunProgress.None;
    long moved = clock.GetTimestamp();
    bool hasMoved;

    public JobRunId Id => run.Id;
    public string Subject => run.Subject;
    /// <summary>From 1.</summary>
    public int Attempt => run.Attempt;
    /// <summary>Of the claim under which it is worked on: what is written under another one is a late node's.</summary>
    public long Epoch => run.Epoch;

    public T Arguments<T>() => JsonSerializer.Deserialize<T>(run.Arguments, JsonSerializerOptions.Web)!;

    /// <summary>The next part of the work begins.</summary>
    public void Phase(string name, string? doing = null)
    {
        Move(new RunProgress(name, null, doing));
        Say(doing is null ? name : $"{name}: {doing}");
    }

    /// <param name="share">What is done of the phase, 0 to 1; null where nobody can tell.</param>
    public void Report(double? share, string? doing = null)
    {
        lock (gate) Move(progress with { Progress = share is { } s ? Math.Clamp(s, 0, 1) : null, Doing = doing ?? progress.Doing });
    }

    /// <summary>A line of the log, without secrets.</summary>
    public void Say(string text)
    {
        lock (gate)
        {
            if (lines.Count < MostWaiting) lines.Add((clock.GetUtcNow(), text));
            (moved, hasMoved) = (clock.GetTimestamp(), true);
        }
    }

    /// <summary>Since it last said anything.</summary>
    public TimeSpan Silence { get { lock (gate) return clock.GetElapsedTime(moved); } }

    /// <summary>Whether there is news that is not written yet.</summary>
    public bool HasNews { get { lock (gate) return hasMoved; } }

    /// <summary>How far it is, whether that is news, and the new lines of its log.</summary>
    public (RunProgress Progress, bool HasMoved, IReadOnlyList<(DateTimeOffset At, string Text)> Lines) Take()
    {
        lock (gate)
        {
            var taken = (progress, hasMoved, (IReadOnlyList<(DateTimeOffset, string)>)[.. lines]);
            lines.Clear();
            hasMoved = false;
            return taken;
        }
    }

    void Move(RunProgress to)
    {
        lock (gate) (progress, moved, hasMoved) = (to, clock.GetTimestamp(), true);
    }
}
