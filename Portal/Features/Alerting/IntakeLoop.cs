using Portal.Components;
using Portal.Hosting;
using Portal.Live;

namespace Portal.Features.Alerting;

/// <summary>Takes signals in as soon as they are heard anywhere, and looks every few seconds by itself.</summary>
public sealed class IntakeLoop(AlertIntake intake, StartupState state, ChangeFeed feed, TimeProvider clock, ILogger<IntakeLoop> log) : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(3);

    readonly DatabaseContact contact = new("The intake of alerts", clock, log);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        Task Wake()
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }
        using var signals = feed.Subscribe("signals", Wake, TimeSpan.FromMilliseconds(5));
        // A silence that was ended, a service that has a policy now.
        using var services = feed.Subscribe("services", Wake, TimeSpan.FromMilliseconds(50));
        while (!stoppingToken.IsCancellationRequested)
        {
            await Turn(stoppingToken);
            await Rest(woken, stoppingToken);
        }
    }

    /// <summary>Until it is woken, or the time has come to look by itself.</summary>
    async Task Rest(SemaphoreSlim woken, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Every, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            await woken.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Nobody woke it: it looks by itself.
        }
    }

    async Task Turn(CancellationToken ct)
    {
        try
        {
            while (await intake.Take(ct) is > 0) ct.ThrowIfCancellationRequested();
            await intake.Sweep(ct);
            contact.Found();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "The intake of alerts failed and is tried again");
        }
    }
}
