using Portal.Domain.Shared;

namespace Portal.Domain.Audit;

/// <summary>Who did what to what, from where, and when: written in the same transaction as what it tells of, never changed.</summary>
public sealed class AuditEntry
{
    AuditEntry() { }

    /// <param name="action">Thing and past participle: "incident.declared".</param>
    /// <param name="subject">Id of what was changed.</param>
    /// <param name="summary">What changed, in words, without secrets.</param>
    public AuditEntry(Actor actor, string action, string subject, string summary, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (ActorKind, ActorId, ActorName, From) = (actor.Kind, actor.Id, actor.Name, actor.From);
        (Action, Subject, At) = (action, subject, now);
        Summary = summary.Length > 500 ? string.Concat(summary.AsSpan(0, 499), "…") : summary;
    }

    /// <summary>Order of writing, given by the database. A transaction that took long shows a lower one late.</summary>
    public long Sequence { get; private set; }
    /// <summary>The row's place in the chain of seals, from 1 without gaps, given about a second after the row can be seen; null until then.</summary>
    public long? Position { get; private set; }
    /// <summary>See <see cref="AuditSeal"/>; null until it is sealed.</summary>
    public byte[]? Hash { get; private set; }
    public Guid Id { get; private set; }
    public DateTimeOffset At { get; private set; }
    public ActorKind ActorKind { get; private set; }
    public Guid? ActorId { get; private set; }
    public string ActorName { get; private set; } = "";
    public string? From { get; private set; }
    public string Action { get; private set; } = "";
    public string Subject { get; private set; } = "";
    public string Summary { get; private set; } = "";
}
