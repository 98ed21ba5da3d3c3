using Portal.Components;
using Portal.Hosting;
using Portal.Infrastructure.Persistence.Outbox;

namespace Portal.Live;

/// <summary>Runs the outbox: at once when something was put in anywhere, and every few seconds for what became due or was missed.</summary>
public sealed class OutboxDispatch(OutboxDispatcher dispatcher, StartupState state, ChangeFeed feed, PortalOptions options, TimeProvider clock, ILogger<OutboxDispatch> log) : BackgroundService
{
    static readonly TimeSpan TidyEvery = TimeSpan.FromHours(1);
    readonly DatabaseContact contact = new("The outbox", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("outbox", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }, TimeSpan.FromMilliseconds(20));
        var tidied = clock.GetTimestamp() - 2 * (long)TidyEvery.TotalSeconds * clock.TimestampFrequency;
        while (!stoppingToken.IsCancellationRequested)
        {
            if (await Turn(clock.GetElapsedTime(tidied) > TidyEvery, stoppingToken)) tidied = clock.GetTimestamp();
            await woken.WaitAsync(options.Timing.Follow, stoppingToken);
        }
    }

    /// <returns>Whether it tidied.</returns>
    async Task<bool> Turn(bool tidy, CancellationToken ct)
    {
        try
        {
            await dispatcher.Drain(ct);
            if (tidy) await dispatcher.Tidy(ct);
            contact.Found();
            return tidy;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "The outbox could not be dispatched; tried again");
            return false;
        }
    }
}
