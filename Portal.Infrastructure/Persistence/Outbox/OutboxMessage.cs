namespace Portal.Infrastructure.Persistence.Outbox;

/// <summary>A reaction that another context owes, saved together with its cause and dispatched by claim, at least once.</summary>
public sealed class OutboxMessage
{
    OutboxMessage() { }

    /// <param name="topic">Thing and past participle: "component.deleted".</param>
    /// <param name="payload">JSON without secrets.</param>
    public OutboxMessage(string topic, string payload, DateTimeOffset now) =>
        (Id, Topic, Payload, CreatedAt, DueAt) = (Guid.CreateVersion7(now), topic, payload, now, now);

    public Guid Id { get; private set; }
    public string Topic { get; private set; } = "";
    public string Payload { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    /// <summary>Not before; pushed away by every attempt, so that a row which always fails cannot stop the others.</summary>
    public DateTimeOffset DueAt { get; private set; }
    public int Attempts { get; private set; }
    public string? ClaimedBy { get; private set; }
    public string? LastError { get; private set; }
    public DateTimeOffset? DoneAt { get; private set; }
}
