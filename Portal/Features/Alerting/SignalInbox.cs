using System.Collections.Concurrent;
using System.Threading.Channels;
using Npgsql;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence.Alerting;

namespace Portal.Features.Alerting;

/// <summary>Stores what sources say before they are answered: many requests in one insert, as many as came while the one before was written.</summary>
public sealed class SignalInbox(SignalWriter writer, TimeProvider clock, ILogger<SignalInbox> log) : BackgroundService
{
    /// <summary>What waits to be written, of all services and of one; beyond that the sender is to come again.</summary>
    public const int MostWaiting = 20_000, MostOfService = 10_000;
    const int AtOnce = 2_000;

    sealed record Entry(HeardOnce Message, TaskCompletionSource<bool> Stored);

    readonly Channel<Entry> waiting = Channel.CreateBounded<Entry>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    readonly ConcurrentDictionary<ServiceId, int> ofService = new();

    /// <param name="message">What names a message that must not be taken twice; null for those that may be repeated.</param>
    /// <returns>Once they are stored; false where the message had been taken before.</returns>
    /// <exception cref="TooOftenException">More wait than may.</exception>
    public async Task<bool> Store(ServiceId service, IReadOnlyList<AlertSignal> signals, byte[]? message, CancellationToken ct)
    {
        var entry = new Entry(new(service, signals, clock.GetUtcNow(), message), new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (ofService.AddOrUpdate(service, signals.Count, (_, n) => n + signals.Count) > MostOfService || !waiting.Writer.TryWrite(entry))
        {
            Leave(service, signals.Count);
            throw new TooOftenException("More events come in than can be stored. Send this one again in a moment.", TimeSpan.FromSeconds(1));
        }
        // Whoever hangs up is not answered; what was said is stored all the same.
        return await entry.Stored.Task.WaitAsync(ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Entry>();
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                var signals = 0;
                while (signals < AtOnce && waiting.Reader.TryRead(out var entry))
                {
                    batch.Add(entry);
                    signals += entry.Message.Signals.Count;
                }
                await Write(batch);
                batch.Clear();
            }
        }
        finally
        {
            waiting.Writer.TryComplete();
            while (waiting.Reader.TryRead(out var entry)) Fail(entry, new OperationCanceledException("The portal stops."));
        }
    }

    /// <summary>Not cancelled by a stop: what is being written is answered.</summary>
    async Task Write(List<Entry> batch)
    {
        try
        {
            var stored = await writer.Write([.. batch.Select(e => e.Message)], CancellationToken.None);
            for (var i = 0; i < batch.Count; i++)
            {
                Leave(batch[i].Message.Service, batch[i].Message.Signals.Count);
                batch[i].Stored.TrySetResult(stored[i]);
            }
        }
        catch (Exception e) when (batch.Count > 1 && e is PostgresException && !Refusal.IsDatabaseAway(e))
        {
            log.LogError(e, "Signals could not be stored together, and are stored one by one");
            foreach (var entry in batch) await Write([entry]);
        }
        catch (Exception e)
        {
            if (!Refusal.IsDatabaseAway(e)) log.LogError(e, "Signals could not be stored");
            foreach (var entry in batch) Fail(entry, e);
        }
    }

    void Fail(Entry entry, Exception why)
    {
        Leave(entry.Message.Service, entry.Message.Signals.Count);
        entry.Stored.TrySetException(why);
    }

    void Leave(ServiceId service, int signals) => ofService.AddOrUpdate(service, 0, (_, n) => Math.Max(0, n - signals));
}
