using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Notifications;

/// <summary>Sends what is due among deliveries, several side by side, each by one node: at least once, and not twice where the channel knows an idempotency key.</summary>
public sealed class DeliveryDispatcher(IDbContextFactory<PortalDbContext> contexts, DeliveryClaims claims, DeliveryRecords records, MessageWriter writer, TimeProvider clock, ILogger<DeliveryDispatcher> log) : IDisposable
{
    /// <summary>So many are on their way at once, and so many of them by one channel: one that hangs does not stop the others.</summary>
    public const int Width = 8;
    const int WidthOfOne = 3;
    static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(5), LongestWait = TimeSpan.FromMinutes(10);
    /// <summary>A message that is on its way when the portal stops is given so long: broken off, it might come twice.</summary>
    static readonly TimeSpan AtTheEnd = TimeSpan.FromSeconds(3);
    const double Jitter = 0.2;

    readonly Random random = new();
    readonly Lock gate = new();
    readonly SemaphoreSlim claiming = new(1);
    readonly Dictionary<string, int> flying = [];

    /// <summary>Sends everything that is due.</summary>
    /// <returns>How many were tried.</returns>
    public async Task<int> Drain(CancellationToken ct)
    {
        var tried = await Task.WhenAll(Enumerable.Range(0, Width).Select(_ => Lane(ct)));
        return tried.Sum();
    }

    /// <summary>How many are due, up to <see cref="Width"/>, and how long until the next one is; null when nothing is expected.</summary>
    public Task<(int Due, TimeSpan? Next)> Look(CancellationToken ct) => claims.Look(Width, ct);

    /// <summary>5 s, 15 s, 45 s and so on to 10 min, a fifth more or less, so that those that failed together do not come together again.</summary>
    public TimeSpan WaitAfter(int attempts)
    {
        var seconds = Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(3, Math.Min(10, attempts - 1)));
        lock (gate) return TimeSpan.FromSeconds(seconds * (1 + Jitter * (2 * random.NextDouble() - 1)));
    }

    /// <summary>Sends one after the other until nothing is due that it may send.</summary>
    /// <returns>How many were tried.</returns>
    public async Task<int> Lane(CancellationToken ct)
    {
        for (var tried = 0; ;)
        {
            if (await Claim(ct) is not { } next) return tried;
            if (next.Claim is not { } claim) continue;
            try
            {
                // Whoever was frozen since may have been followed by another node.
                if (clock.GetElapsedTime(next.Began) > DeliveryClaims.Lease / 4) continue;
                await Handle(claim, ct);
            }
            finally
            {
                Fly(next.Way, -1);
            }
            tried++;
        }
    }

    /// <summary>One lane after the other: else all of them would begin with one channel, and it might hang.</summary>
    async Task<(DeliveryClaim? Claim, string Way, long Began)?> Claim(CancellationToken ct)
    {
        await claiming.WaitAsync(ct);
        try
        {
            var began = clock.GetTimestamp();
            if (await claims.Next(Busy(), ct) is not { } next) return null;
            if (next.Claim is not null) Fly(next.Way, 1);
            return (next.Claim, next.Way, began);
        }
        finally
        {
            claiming.Release();
        }
    }

    async Task Handle(DeliveryClaim claim, CancellationToken ct)
    {
        var outcome = claim.Refusal is { } refusal ? new SendOutcome.Permanent(refusal) : await Send(claim, ct);
        // What the channel took is written although the portal stops.
        switch (outcome)
        {
            case SendOutcome.Taken taken:
                await records.Taken(claim, taken.ProviderId, CancellationToken.None);
                return;
            case SendOutcome.Transient later when claim.Attempt < Delivery.MostAttempts:
                log.LogWarning("A message could not be sent at attempt {Attempt}: {Reason}", claim.Attempt, later.Reason);
                var wait = WaitAfter(claim.Attempt);
                await records.Later(claim, later.Reason, later.RetryAfter is { } after && after > wait ? after : wait, CancellationToken.None);
                return;
            case SendOutcome.Transient given:
                await GiveUp(claim, $"Given up after {claim.Attempt} attempts. {given.Reason}");
                return;
            case SendOutcome.Permanent refused:
                await GiveUp(claim, refused.Reason);
                return;
            default: throw new InvalidOperationException("A message ended in no known way.");
        }
    }

    async Task GiveUp(DeliveryClaim claim, string reason)
    {
        log.LogWarning("A message is given up at attempt {Attempt}: {Reason}", claim.Attempt, reason);
        await records.Failed(claim, reason, CancellationToken.None);
    }

    async Task<SendOutcome> Send(DeliveryClaim claim, CancellationToken ct)
    {
        MessageWriter.Letter letter;
        try
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            letter = await writer.Write(db, claim, ct);
        }
        catch (DomainException e)
        {
            return new SendOutcome.Permanent(e.Message);
        }
        catch (CryptographicException)
        {
            return new SendOutcome.Permanent("The channel's secrets cannot be opened: enter them again.");
        }
        using var limit = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        await using var stopping = ct.UnsafeRegister(static l => ((CancellationTokenSource)l!).CancelAfter(AtTheEnd), limit);
        try
        {
            return await letter.Kind.Send(letter.Message, letter.Settings, limit.Token);
        }
        catch (Exception e) when (!limit.IsCancellationRequested)
        {
            // Its words might hold what is secret.
            log.LogError("A channel of the kind {Kind} failed unexpectedly: {Type}", letter.Kind.Kind, e.GetType().Name);
            return new SendOutcome.Transient($"{ChannelWords.Of(letter.Kind.Kind)} failed unexpectedly.");
        }
    }

    string[] Busy()
    {
        lock (gate) return [.. flying.Where(f => f.Value >= WidthOfOne).Select(f => f.Key)];
    }

    void Fly(string way, int by)
    {
        lock (gate)
            if ((flying[way] = flying.GetValueOrDefault(way) + by) == 0) flying.Remove(way);
    }

    public void Dispose() => claiming.Dispose();
}
