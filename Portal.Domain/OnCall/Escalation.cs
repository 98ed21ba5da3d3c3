using Portal.Domain.Alerting;
using Portal.Domain.Shared;

namespace Portal.Domain.OnCall;

/// <summary>Whether an alert is still on its way to somebody.</summary>
public enum EscalationState
{
    /// <summary>The next step fires by itself.</summary>
    Running,
    /// <summary>Somebody has it; it resumes if that has an end.</summary>
    Acknowledged,
    /// <summary>Every step has fired and nobody acknowledged: it must be complained about.</summary>
    Exhausted,
    Resolved,
}

/// <summary>A step that fires now: whoever is on call at this moment is told.</summary>
/// <param name="Round">0 the first time through the policy.</param>
/// <param name="Index">Of the step, from 0.</param>
/// <param name="DueAt">When it should have fired.</param>
public sealed record FiredStep(int Round, int Index, EscalationStep Step, DateTimeOffset DueAt, DateTimeOffset At);

/// <summary>Where an alert stands in its policy. Whoever holds its row asks it what is due, tells those whom the step names, and saves both together.</summary>
/// <remarks>
/// A delay counts from when its step really fired: people who are told late have the whole time. When an acknowledgement runs out, the step that fired last fires again at once, and the
/// rest follows: whoever had it is reminded before others are told, and an alert at the end of its policy is not forgotten.
/// </remarks>
public sealed class Escalation
{
    public static readonly TimeSpan LongestAcknowledgement = TimeSpan.FromDays(7);

    Escalation() { }

    /// <param name="firstAt">When the first step fires: now, or when support hours open.</param>
    public Escalation(AlertId alert, EscalationPolicyVersion version, DateTimeOffset firstAt, DateTimeOffset now)
    {
        (AlertId, CreatedAt) = (alert, now);
        Begin(version, firstAt > now ? firstAt : now);
    }

    public AlertId AlertId { get; private set; }
    public EscalationPolicyId PolicyId { get; private set; }
    /// <summary>The number of the version that it began with.</summary>
    public int PolicyNumber { get; private set; }
    public EscalationState State { get; private set; }
    /// <summary>The step to fire next, counted over all rounds from 0.</summary>
    public int Position { get; private set; }
    /// <summary>The step that fired last, counted likewise; null while none has.</summary>
    public int? LastPosition { get; private set; }
    /// <summary>How many steps have fired, by whatever policy and however often: what is told of one firing is told once.</summary>
    public int Fired { get; private set; }
    /// <summary>When something happens by itself: the next step fires, or the acknowledgement runs out; null if nothing does.</summary>
    public DateTimeOffset? NextAt { get; private set; }
    /// <summary>Not before this does the first step fire by itself.</summary>
    public DateTimeOffset FirstAt { get; private set; }
    /// <summary>When the last step fired; null while none has.</summary>
    public DateTimeOffset? FiredAt { get; private set; }
    /// <summary>Who has it, while it is acknowledged.</summary>
    public string? AcknowledgedBy { get; private set; }
    /// <summary>When a person, not a program, first took it: the end of MTTA.</summary>
    public DateTimeOffset? FirstHumanAt { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? ResolvedAt { get; private set; }
    public uint Version { get; private set; }

    public bool IsDue(DateTimeOffset now) => NextAt <= now;

    /// <summary>Fires the next step. What it returns is to be told to those who are on call now.</summary>
    /// <param name="version">The one that it began with.</param>
    /// <exception cref="DomainException">It does not run, the step is not due, or the version is another one.</exception>
    public FiredStep Fire(EscalationPolicyVersion version, DateTimeOffset now)
    {
        if (version.Policy != PolicyId || version.Number != PolicyNumber) throw new DomainException("An alert keeps the version of the policy that it began with.");
        if (State != EscalationState.Running || NextAt is not { } due) throw new DomainException($"{InWords}: no step fires.");
        if (due > now) throw new DomainException("The next step is not due yet. Escalate by hand to fire it at once.");
        var (round, index) = Math.DivRem(Position, version.Steps.Count);
        (LastPosition, FiredAt, Fired) = (Position++, now, Fired + 1);
        if (Position < version.StepsInAll) NextAt = now.AddMinutes(version.Steps[index].DelayMinutes);
        else (State, NextAt) = (EscalationState.Exhausted, null);
        return new(round, index, version.Steps[index], due, now);
    }

    /// <summary>The step that fired last reached nobody: waiting for an answer would be waiting for nothing. Not into another round, which would ask the same people at the same moment.</summary>
    /// <returns>Whether the next step fires at once now.</returns>
    public bool Hasten(EscalationPolicyVersion version, DateTimeOffset now)
    {
        if (State != EscalationState.Running || Position % version.Steps.Count == 0) return false;
        NextAt = now;
        return true;
    }

    /// <summary>Somebody takes it: nothing fires any more. Again by the same or another one: it is theirs then, until the new end.</summary>
    /// <param name="until">When it resumes unless it is resolved; at most <see cref="LongestAcknowledgement"/> ahead; null never.</param>
    public void Acknowledge(DateTimeOffset now, Actor by, DateTimeOffset? until = null)
    {
        RequireOpen();
        if (until <= now) throw new DomainException("An acknowledgement ends in the future.", "until");
        if (until > now + LongestAcknowledgement) throw new DomainException($"An acknowledgement lasts at most {LongestAcknowledgement.TotalDays:0} days.", "until");
        (State, NextAt, AcknowledgedBy) = (EscalationState.Acknowledged, until, by.Name);
        if (by.Kind == ActorKind.Person) FirstHumanAt ??= now;
    }

    /// <summary>Whoever had it gives it back: it resumes at once.</summary>
    /// <exception cref="DomainException">Nobody has it.</exception>
    public void Unacknowledge(DateTimeOffset now)
    {
        if (State != EscalationState.Acknowledged) throw new DomainException($"{InWords}: there is no acknowledgement to take back.");
        (State, AcknowledgedBy) = (EscalationState.Running, null);
        Position = LastPosition ?? 0;
        NextAt = LastPosition is null && FirstAt > now ? FirstAt : now;
    }

    /// <summary>The acknowledgement has run out: it resumes at once.</summary>
    /// <exception cref="DomainException">It has not, or has no end.</exception>
    public void TimeOut(DateTimeOffset now)
    {
        if (State == EscalationState.Acknowledged && !IsDue(now)) throw new DomainException($"{AcknowledgedBy} still has it.");
        Unacknowledge(now);
    }

    /// <summary>It is over; a second time it stays as it was.</summary>
    public void Resolve(DateTimeOffset now)
    {
        if (State == EscalationState.Resolved) return;
        (State, NextAt, ResolvedAt) = (EscalationState.Resolved, null, now);
    }

    /// <summary>The next step fires at once, also if somebody has it or support hours are closed.</summary>
    /// <param name="version">The one that it began with.</param>
    /// <exception cref="DomainException">It is over, or every step has fired.</exception>
    public void Escalate(EscalationPolicyVersion version, DateTimeOffset now)
    {
        RequireOpen();
        if (version.Policy != PolicyId || version.Number != PolicyNumber) throw new DomainException("An alert keeps the version of the policy that it began with.");
        // One that is about to fire again, after an acknowledgement, is not the next one.
        var next = LastPosition + 1 ?? 0;
        if (next >= version.StepsInAll) throw new DomainException("Every step has fired: there is nobody left to escalate to. Reassign it to another policy.");
        (State, Position, NextAt, AcknowledgedBy) = (EscalationState.Running, next, now, null);
    }

    /// <summary>Begins anew, by another policy or a newer version.</summary>
    /// <param name="firstAt">When the first step fires; null at once.</param>
    public void Reassign(EscalationPolicyVersion version, DateTimeOffset now, DateTimeOffset? firstAt = null)
    {
        RequireOpen();
        Begin(version, firstAt > now ? firstAt.Value : now);
    }

    void Begin(EscalationPolicyVersion version, DateTimeOffset firstAt)
    {
        if (version.Steps.Count == 0) throw new DomainException("That policy has no step: nobody would be told.", "policy");
        (PolicyId, PolicyNumber, State) = (version.Policy, version.Number, EscalationState.Running);
        (Position, LastPosition, FirstAt, NextAt, FiredAt, AcknowledgedBy) = (0, null, firstAt, firstAt, null, null);
    }

    void RequireOpen()
    {
        if (State == EscalationState.Resolved) throw new DomainException("It is resolved: nobody is told any more.");
    }

    string InWords => State switch
    {
        EscalationState.Running => "It is on its way",
        EscalationState.Acknowledged => $"{AcknowledgedBy} has it",
        EscalationState.Exhausted => "Every step has fired",
        _ => "It is resolved",
    };
}
