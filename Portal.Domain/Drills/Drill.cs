using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Domain.Drills;

/// <summary>What a drill came to.</summary>
public enum DrillOutcome
{
    Running,
    /// <summary>The database came back, equal to its backup, and every check passed. Whether it was fast and fresh enough is said apart.</summary>
    Passed,
    /// <summary>It did not come back, or not as it was.</summary>
    Failed,
    /// <summary>It ended before it could tell: cancelled, or its portal ended.</summary>
    BrokenOff,
}

/// <summary>What a drill is measured against.</summary>
/// <param name="Recovery">The longest time from the failure to data that is verified (RTO).</param>
/// <param name="Loss">The most that may be lost (RPO).</param>
public sealed record DrillObjectives(TimeSpan Recovery, TimeSpan Loss)
{
    /// <summary>Row 25 of the production-readiness documents: RTO under 1 h, RPO under 15 min.</summary>
    public static DrillObjectives Standard { get; } = new(TimeSpan.FromHours(1), TimeSpan.FromMinutes(15));
}

/// <summary>One drill: a lost database was brought back beside the real one, and what that took was measured. Its id is that of the run which did it.</summary>
/// <remarks>What it found is sealed as <see cref="DrillEvidence"/> when it ends; people add what they learned, and a second person signs it off, which is sealed too.</remarks>
public sealed class Drill
{
    public const int ReasonLength = 1_000, LessonsLength = 10_000;

    Drill() { }

    /// <param name="requestedById">Of the person who asked for it; null for a schedule.</param>
    public Drill(JobRunId id, DrillScenario scenario, BackupTarget target, DrillObjectives objectives, string requestedBy, Guid? requestedById, DateTimeOffset now)
    {
        (Id, Scenario, TargetId, TargetName, RequestedBy, RequestedById) = (id, scenario, target.Id, target.Name, requestedBy, requestedById);
        (RecoveryObjective, LossObjective) = (objectives.Recovery, objectives.Loss);
        Begin(now);
    }

    public JobRunId Id { get; private set; }
    public DrillScenario Scenario { get; private set; }
    public BackupTargetId TargetId { get; private set; }
    public string TargetName { get; private set; } = "";
    public string RequestedBy { get; private set; } = "";
    public Guid? RequestedById { get; private set; }
    /// <summary>When its last attempt began, by the portal's clock.</summary>
    public DateTimeOffset StartedAt { get; private set; }
    public DateTimeOffset? EndedAt { get; private set; }
    public DrillOutcome Outcome { get; private set; }
    /// <summary>Why it did not pass, in words; null where it did.</summary>
    public string? Reason { get; private set; }
    /// <summary>The one that it restored, and holds while it runs.</summary>
    public BackupId? BackupId { get; private set; }
    public TimeSpan RecoveryObjective { get; private set; }
    public TimeSpan LossObjective { get; private set; }
    /// <summary>RTO as it was reached; null where the database did not come back.</summary>
    public TimeSpan? Recovery { get; private set; }
    /// <summary>RPO as it was reached; null like <see cref="Recovery"/>.</summary>
    public TimeSpan? Loss { get; private set; }
    /// <summary>Whether the loss was told by a canary; otherwise it is reckoned from the snapshot's time.</summary>
    public bool IsLossByCanary { get; private set; }

    public string Lessons { get; private set; } = "";
    public string? LessonsBy { get; private set; }
    /// <summary>Everybody who ever wrote the lessons.</summary>
    public Guid[] WriterIds { get; private set; } = [];
    public DateTimeOffset? SignedOffAt { get; private set; }
    public string? SignedOffBy { get; private set; }
    public uint Version { get; private set; }

    public bool IsOver => Outcome != DrillOutcome.Running;
    public bool? MetRecovery => Recovery is { } took ? took < RecoveryObjective : null;
    public bool? MetLoss => Loss is { } lost ? lost < LossObjective : null;

    /// <summary>It passed within both objectives.</summary>
    public bool MetAll => Outcome == DrillOutcome.Passed && MetRecovery == true && MetLoss == true;

    /// <summary>An attempt begins; what one before it had found counts for nothing.</summary>
    public void Begin(DateTimeOffset now) =>
        (Outcome, StartedAt, EndedAt, BackupId, Reason, Recovery, Loss, IsLossByCanary) = (DrillOutcome.Running, now, null, null, null, null, null, false);

    /// <summary>It reads this backup: until its end nobody deletes that.</summary>
    public void Reads(BackupId backup) => BackupId = backup;

    public void Measured(TimeSpan recovery, TimeSpan loss, bool byCanary) =>
        (Recovery, Loss, IsLossByCanary) = (Whole(recovery), Whole(loss), byCanary);

    /// <summary>The database keeps microseconds; milliseconds are what anybody needs.</summary>
    static TimeSpan Whole(TimeSpan span) => TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds));

    /// <param name="reason">Null where it passed.</param>
    public void End(DrillOutcome outcome, string? reason, DateTimeOffset now) =>
        (Outcome, Reason, EndedAt) = (outcome, reason is { Length: > ReasonLength } ? string.Concat(reason.AsSpan(0, char.IsHighSurrogate(reason[ReasonLength - 2]) ? ReasonLength - 2 : ReasonLength - 1), "…") : reason, now);

    /// <exception cref="DomainException">It is not over, or signed off.</exception>
    public void Learn(string? lessons, Actor by)
    {
        RequireOpen();
        (Lessons, LessonsBy) = (Text.Optional(lessons, "lessons", "The text of the lessons", LessonsLength) ?? "", by.Name);
        if (by.Id is { } writer && !WriterIds.Contains(writer)) WriterIds = [.. WriterIds, writer];
    }

    /// <summary>A second person has looked at it: neither who asked for it nor anybody who wrote on its lessons.</summary>
    /// <exception cref="DomainException">It is not over, signed off already, or this person is the first one.</exception>
    public void SignOff(Actor by, DateTimeOffset now)
    {
        RequireOpen();
        if (by.Kind != ActorKind.Person) throw new DomainException("A drill is signed off by a person in the browser, not by a program.");
        if (by.Id == RequestedById) throw new DomainException("A second person signs a drill off: you asked for this one. Ask another administrator.");
        if (by.Id is { } signer && WriterIds.Contains(signer)) throw new DomainException("A second person signs a drill off: you wrote on its lessons. Ask another administrator.");
        (SignedOffAt, SignedOffBy) = (now, by.Name);
    }

    /// <exception cref="DomainException">Nothing may be added any more, or not yet.</exception>
    public void RequireOpen()
    {
        if (!IsOver) throw new DomainException("This drill is not over yet.");
        if (SignedOffAt is not null) throw new DomainException("This drill was signed off: what it holds does not change any more.");
    }
}
