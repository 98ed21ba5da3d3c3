using Portal.Components;
using Portal.Hosting;
using Portal.Infrastructure.Metrics;
using Portal.Live;

namespace Portal.Features.Metrics;

/// <summary>Rolls up what was measured, makes the partitions of the days ahead and drops those that are over. All nodes do, by claims.</summary>
public sealed class SeriesUpkeep(Rollups rollups, Partitions partitions, StartupState state, TimeProvider clock, ILogger<SeriesUpkeep> log) : BackgroundService
{
    static readonly TimeSpan RollUpEvery = TimeSpan.FromSeconds(2), PartitionsEvery = TimeSpan.FromHours(1);
    /// <summary>A node whose clock lies further from the database's deletes nothing.</summary>
    static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(1);
    readonly DatabaseContact contact = new("The upkeep of what was measured", clock, log);
    long waiting;

    /// <summary>Spans that were ready and not made yet when last looked at.</summary>
    public long Waiting => Interlocked.Read(ref waiting);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        await Task.WhenAll(Every(RollUpEvery, nameof(RollUp), RollUp, stoppingToken), Every(PartitionsEvery, nameof(Partition), Partition, stoppingToken));
    }

    async Task Every(TimeSpan period, string name, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        while (true)
        {
            var rest = period;
            try
            {
                await work(ct);
                contact.Found(name);
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                rest = TimeSpan.FromSeconds(5);
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e, name);
                else log.LogWarning(e, "The upkeep of what was measured ({Name}) failed and is tried again", name);
            }
            await Task.Delay(rest, clock, ct);
        }
    }

    async Task RollUp(CancellationToken ct)
    {
        Interlocked.Exchange(ref waiting, await rollups.Waiting(clock.GetUtcNow(), ct));
        if (Waiting > 0) await rollups.Make(clock.GetUtcNow(), e => log.LogError(e, "Some results could not be rolled up; tried again in some minutes"), ct);
    }

    async Task Partition(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await partitions.MakeAhead(now, ct);
        var difference = await partitions.ClockDifference(now, ct);
        if (difference.Duration() > ClockTolerance) log.LogWarning("This node's clock lies {Difference} from the database's: nothing is retired until they agree", difference);
        else if (await partitions.Retire(now, ct) is { Count: > 0 } dropped) log.LogInformation("Retired {Partitions}", string.Join(", ", dropped));
    }
}
