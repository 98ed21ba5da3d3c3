using Portal.Components;
using Portal.Hosting;
using Portal.Live;

namespace Portal.Features.OnCall;

/// <summary>Fires the steps of escalations when they are due: it knows when the next one is and waits for that, for news of another one, or for a moment, whichever comes first.</summary>
public sealed class Escalator(DueEscalations due, StartupState state, ChangeFeed feed, TimeProvider clock, ILogger<Escalator> log) : BackgroundService
{
    /// <summary>Looks by itself so often: news may be lost, and clocks may be set.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(20);
    /// <summary>What is due and could not be taken is in another node's hands, or rests.</summary>
    static readonly TimeSpan InOtherHands = TimeSpan.FromMilliseconds(500);
    readonly DatabaseContact contact = new("The escalator", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("escalations", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }, Shortest);
        while (!stoppingToken.IsCancellationRequested)
        {
            await woken.WaitAsync(await Turn(stoppingToken), stoppingToken);
        }
    }

    /// <returns>How long until something is due, within bounds.</returns>
    async Task<TimeSpan> Turn(CancellationToken ct)
    {
        try
        {
            await due.Drain(ct);
            var next = await due.Next(ct);
            contact.Found();
            var left = next - clock.GetUtcNow();
            return left is not { } time || time > Longest ? Longest : time <= TimeSpan.Zero ? InOtherHands : time < Shortest ? Shortest : time;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "Escalations could not be fired; tried again");
            return Longest;
        }
    }
}
