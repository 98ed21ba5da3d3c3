namespace Portal.Infrastructure.Persistence.Outbox;

/// <summary>What happens elsewhere because of something that was saved: one handler a topic, registered as a singleton.</summary>
/// <param name="Topic">Of <see cref="OutboxMessage"/>: thing and past participle.</param>
/// <param name="Handle">Takes the payload. Called at least once: after a crash, or when a lease ran out, a message comes again. An exception means "later".</param>
public sealed record OutboxHandler(string Topic, Func<string, CancellationToken, Task> Handle);
