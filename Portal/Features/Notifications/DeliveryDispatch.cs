using Portal.Components;
using Portal.Hosting;
using Portal.Infrastructure.Notifications;
using Portal.Live;

namespace Portal.Features.Notifications;

/// <summary>Sends what is to be told: at once when it was saved anywhere, and when it becomes due.</summary>
public sealed class DeliveryDispatch(DeliveryDispatcher dispatcher, StartupState state, ChangeFeed feed, PortalOptions options, TimeProvider clock, ILogger<DeliveryDispatch> log) : BackgroundService
{
    static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50), WhileBusy = TimeSpan.FromMilliseconds(500);
    readonly DatabaseContact contact = new("The dispatch of messages", clock, log);
    /// <summary>They are not waited for: a channel that hangs in one of them must not keep the others from what comes next.</summary>
    readonly List<Task> lanes = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        using var woken = new SemaphoreSlim(0, 1);
        using var subscription = feed.Subscribe("deliveries", () =>
        {
            if (woken.CurrentCount == 0) woken.Release();
            return Task.CompletedTask;
        }, Shortest);
        try
        {
            while (true) await woken.WaitAsync(await Turn(stoppingToken), stoppingToken);
        }
        finally
        {
            await Task.WhenAll(lanes).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <returns>How long to rest unless woken.</returns>
    async Task<TimeSpan> Turn(CancellationToken ct)
    {
        var rest = options.Timing.Follow;
        try
        {
            var ended = lanes.Where(l => l.IsCompleted).ToList();
            lanes.RemoveAll(ended.Contains);
            await Task.WhenAll(ended);
            var (due, next) = await dispatcher.Look(ct);
            for (var begun = 0; begun < due && lanes.Count < DeliveryDispatcher.Width; begun++) lanes.Add(dispatcher.Lane(ct));
            if (due > 0 && WhileBusy < rest) rest = WhileBusy;
            if (next < rest) rest = next.Value > Shortest ? next.Value : Shortest;
            contact.Found();
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
            else log.LogError(e, "Messages could not be dispatched; tried again");
        }
        return rest;
    }
}
