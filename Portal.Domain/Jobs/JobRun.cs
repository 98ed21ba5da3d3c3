using Portal.Domain.Shared;

namespace Portal.Domain.Jobs;

public readonly record struct JobRunId(Guid Value) : IId<JobRunId>
{
    public static JobRunId From(Guid value) => new(value);
    public override string ToString() => Value.ToString("N");
}

/// <summary>Where a run stands. Whatever comes after <see cref="Running"/> is an end and never changes.</summary>
public enum RunState
{
    /// <summary>Waits for its time, or for a node.</summary>
    Queued,
    Running,
    Succeeded,
    Failed,
    /// <summary>A person stopped it.</summary>
    Cancelled,
    /// <summary>Its node ended in the midst of it, and its kind must not begin again by itself.</summary>
    Interrupted,
    /// <summary>Its time came and went, and nobody began it.</summary>
    Missed,
}

/// <summary>What a kind of job allows to be done with its runs.</summary>
/// <param name="Attempts">How often it is tried before it has failed; 1 to 20.</param>
/// <param name="Repeatable">Whether a run whose node ended is begun again; otherwise it is interrupted.</param>
/// <param name="Alone">Of runs with the same words here one works at a time; null for as many as there are.</param>
public sealed record RunRules(int Attempts = 1, bool Repeatable = false, string? Alone = null);

/// <summary>One piece of long work: the record of it, and the fence that lets one node at a time do it.</summary>
/// <remarks>
/// Whoever works on it holds a lease, by the database's clock, under an <see cref="Epoch"/> that rises with every claim; what is written of it names the epoch.
/// Those writes are the ledger's (<c>RunLedger</c>): this class is what people do with a run.
/// </remarks>
public sealed class JobRun
{
    public const int KindLength = 60, SubjectLength = 200, ErrorLength = 1_000, ArgumentsLength = 16_000, ResultLength = 64_000;

    JobRun() { }

    /// <param name="kind">Name of the kind of job.</param>
    /// <param name="subject">What it works on, in a few words.</param>
    /// <param name="arguments">JSON, without secrets.</param>
    /// <param name="dueAt">Not before; at once unless given.</param>
    /// <param name="id">Made by whoever asks, so that a request sent twice is one run.</param>
    public JobRun(string kind, string subject, string arguments, RunRules rules, Actor by, DateTimeOffset now, DateTimeOffset? dueAt = null, JobRunId? id = null)
    {
        if (kind.Length is 0 or > KindLength) throw new DomainException($"A kind of job has a name of 1 to {KindLength} characters.", "kind");
        if (arguments.Length > ArgumentsLength) throw new DomainException($"What a job is given takes at most {ArgumentsLength:N0} characters.", "arguments");
        if (rules.Attempts is < 1 or > 20) throw new DomainException("A job is tried 1 to 20 times.", "attempts");
        Id = id ?? Shared.Id.New<JobRunId>(now);
        (Kind, Subject, Arguments) = (kind, Cut(subject, SubjectLength), arguments);
        (MostAttempts, Repeatable, Alone) = (rules.Attempts, rules.Repeatable, rules.Alone);
        (RequestedBy, RequestedById, QueuedAt, DueAt) = (by.Name, by.Id, now, dueAt ?? now);
    }

    public JobRunId Id { get; private set; }
    public string Kind { get; private set; } = "";
    public string Subject { get; private set; } = "";
    public string Arguments { get; private set; } = "{}";
    public string RequestedBy { get; private set; } = "";
    /// <summary>Of the person or the key; null for the portal itself.</summary>
    public Guid? RequestedById { get; private set; }
    public DateTimeOffset QueuedAt { get; private set; }
    /// <summary>Not begun before; after an attempt that failed, when the next one may begin.</summary>
    public DateTimeOffset DueAt { get; private set; }
    /// <summary>The schedule that expects it, with the time for which it does.</summary>
    public JobScheduleId? ScheduleId { get; private set; }
    public DateTimeOffset? Slot { get; private set; }
    /// <summary>A slot that nobody began by then is missed.</summary>
    public DateTimeOffset? StartBy { get; private set; }
    /// <summary>The run that somebody asked to do again.</summary>
    public JobRunId? Again { get; private set; }

    public int MostAttempts { get; private set; }
    public bool Repeatable { get; private set; }
    public string? Alone { get; private set; }

    public RunState State { get; private set; }
    /// <summary>How often it was begun.</summary>
    public int Attempt { get; private set; }
    /// <summary>Rises with every claim and whenever a claim is taken away.</summary>
    public long Epoch { get; private set; }
    /// <summary>Who works on it, or did last.</summary>
    public string? Node { get; private set; }
    public DateTimeOffset? LeaseUntil { get; private set; }
    public string? Phase { get; private set; }
    /// <summary>What is done of it, 0 to 1; null where nobody can tell.</summary>
    public double? Progress { get; private set; }
    /// <summary>What it does at the moment, in words.</summary>
    public string? Doing { get; private set; }
    public DateTimeOffset? ProgressedAt { get; private set; }
    public DateTimeOffset? StartedAt { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    public DateTimeOffset? CancelAskedAt { get; private set; }
    public string? CancelAskedBy { get; private set; }
    /// <summary>JSON, as its kind says.</summary>
    public string? Result { get; private set; }
    /// <summary>Why it failed, or why the last attempt did, in words for a person.</summary>
    public string? Error { get; private set; }
    public uint Version { get; private set; }

    public bool IsOver => State > RunState.Running;

    /// <summary>What a schedule expects at a slot: it stands in the queue, and later in the history, where its time puts it.</summary>
    public static JobRun Expected(JobSchedule schedule, DateTimeOffset slot, DateTimeOffset startBy, RunRules rules, DateTimeOffset now) =>
        new(schedule.Kind, schedule.Subject, schedule.Arguments, rules, Actor.System, now, slot) { QueuedAt = slot, ScheduleId = schedule.Id, Slot = slot, StartBy = startBy };

    /// <summary>The same work once more, as a run of its own.</summary>
    /// <exception cref="DomainException">It is not over yet.</exception>
    public JobRun DoAgain(Actor by, DateTimeOffset now) => IsOver
        ? new(Kind, Subject, Arguments, new RunRules(MostAttempts, Repeatable, Alone), by, now) { Again = Id }
        : throw new DomainException("It is not over yet: wait for its end, or cancel it first.");

    /// <summary>A run that waits is cancelled at once; one that works is asked to stop.</summary>
    /// <exception cref="DomainException">It is over.</exception>
    public void Cancel(Actor by, DateTimeOffset now)
    {
        if (IsOver) throw new DomainException("It is over already.");
        (CancelAskedAt, CancelAskedBy) = (CancelAskedAt ?? now, CancelAskedBy ?? by.Name);
        if (State == RunState.Queued) (State, EndedAt) = (RunState.Cancelled, now);
    }

    static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");
}

/// <summary>A line that a run wrote about itself.</summary>
public sealed class JobLogLine
{
    public const int TextLength = 2_000, MostLines = 5_000;

    public long Id { get; private set; }
    public JobRunId RunId { get; private set; }
    public int Attempt { get; private set; }
    public DateTimeOffset At { get; private set; }
    public string Text { get; private set; } = "";
}
