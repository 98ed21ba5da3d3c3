namespace Portal.Hosting;

/// <summary>The line that people and scripts wait for.</summary>
public sealed class Announcement(StartupState state, PortalAddress address, PortalOptions options, IHostApplicationLifetime lifetime, ILogger<Announcement> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await lifetime.HasStarted(stoppingToken);
        foreach (var key in options.NotUsedYet) log.LogWarning("{Key} is set, but this version has no part that uses it yet", key);
        // Served before anything else could be done: the page of an earlier start, from disk, which needs no database.
        // Without one this start plants the first administrator too, and whoever waits for the line may count on it.
        if (!state.IsServing) await Task.WhenAll(state.Serving, state.Prepared).WaitAsync(stoppingToken);
        Console.WriteLine($"Portal is ready at {address.Own}");
    }
}

static class Lifetimes
{
    /// <summary>Completes when the server listens.</summary>
    public static async Task HasStarted(this IHostApplicationLifetime lifetime, CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(ct);
    }
}
