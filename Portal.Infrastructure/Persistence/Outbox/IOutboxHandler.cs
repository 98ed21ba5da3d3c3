namespace Portal.Infrastructure.Persistence.Outbox;

/// <summary>What happens elsewhere because of something that was saved: one handler a topic.</summary>
/// <remarks>Called at least once: after a crash, or when a lease ran out, a message comes again. An exception means "later".</remarks>
public interface IOutboxHandler
{
    string Topic { get; }

    Task Handle(string payload, CancellationToken ct);
}
