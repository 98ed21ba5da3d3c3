using Portal.Components;
using Portal.Hosting;
using Portal.Infrastructure.Notifications.Email;
using Portal.Live;

namespace Portal.Features.Notices;

/// <summary>Sends mail: at once when some was queued anywhere, and every few seconds what became due or was missed.</summary>
public sealed class MailDispatch(MailDispatcher dispatcher, StartupState state, ChangeFeed feed, PortalOptions options, TimeProvider clock, ILogger<MailDispatch> log) : BackgroundService
{
    static readonly TimeSpan TidyEvery = TimeSpan.FromHours(1);
    readonly DatabaseContact contact = new("The dispatch of mail", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("mails", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        });
        long? tidied = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var tidy = tidied is not { } last || clock.GetElapsedTime(last) > TidyEvery;
            if (await Turn(tidy, stoppingToken) && tidy) tidied = clock.GetTimestamp();
            await woken.WaitAsync(options.Timing.Follow, stoppingToken);
        }
    }

    async Task<bool> Turn(bool tidy, CancellationToken ct)
    {
        try
        {
            await dispatcher.Drain(ct);
            if (tidy) await dispatcher.Tidy(ct);
            contact.Found();
            return true;
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "Mail could not be dispatched; tried again");
            return false;
        }
    }
}
