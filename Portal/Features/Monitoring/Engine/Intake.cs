using Portal.Domain.Monitoring;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.Monitoring.Engine;

/// <summary>What places found of the monitors that this node runs, judged and recorded as if it had been found here.</summary>
sealed class Intake(PlaceInbox places, Roster roster, Timetable timetable, Recorder recorder, EngineSettings settings, DatabaseContact contact, TimeProvider clock, ILogger log)
{
    /// <summary>Rings when something has arrived.</summary>
    public Bell Bell { get; } = new(clock);

    public async Task Run(CancellationToken ct)
    {
        while (true)
        {
            // What waits for monitors that are not known yet waits in the database.
            var more = await Take(roster.Known, ct);
            contact.Found(nameof(Intake));
            if (!more) await Bell.Wait(settings.Follow, ct);
        }
    }

    /// <returns>Whether there may be more.</returns>
    async Task<bool> Take(int[] shards, CancellationToken ct)
    {
        var some = shards.Length == 0 ? [] : await places.Take(shards, ct);
        foreach (var check in some)
            try
            {
                if (timetable.Find(check.MonitorId) is { } watched) Take(watched, check);
            }
            catch (Exception e)
            {
                // One must not cost the others, which are nowhere else any more.
                log.LogError(e, "What {Place} found of monitor {Monitor} could not be judged", check.PlaceName, check.MonitorId);
            }
        return some.Count > 0;
    }

    void Take(Watched watched, HeardCheck check)
    {
        var monitor = watched.Monitor;
        if (check.Look != monitor.Look || !monitor.LooksFrom(check.PlaceId)) return;
        watched.NoticeSetBack(clock.GetUtcNow());
        var result = new CheckResult(watched.Id, check.At, TimeSpan.FromMilliseconds(check.Milliseconds), check.Outcome, check.StatusCode, check.Detail, check.PlaceId);
        // What waited too long says nothing of the present.
        var isLate = clock.GetUtcNow() - check.At > MonitorState.Patience(monitor);
        if (isLate || watched.Take(result, monitor)) recorder.Add(watched, result, check.PlaceName);
        if (check.Outcome == CheckOutcome.Down && !isLate) timetable.HurryCauses(monitor);
    }
}
