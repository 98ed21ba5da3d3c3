using System.Diagnostics;

namespace Portal.Features.Health.Parts;

/// <summary>This process itself: it answers, and its threads are not starved.</summary>
sealed class ProcessPart(TimeProvider clock) : IHealthPart
{
    readonly long started = clock.GetTimestamp();

    public string Name => "health";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        var asked = clock.GetTimestamp();
        await Task.Run(() => { }, ct);
        return PartReport.Ok(
            ("uptimeSeconds", Math.Round(clock.GetElapsedTime(started).TotalSeconds)),
            ("memoryBytes", Environment.WorkingSet),
            ("managedBytes", GC.GetTotalMemory(false)),
            ("threads", ThreadPool.ThreadCount),
            ("queuedWork", ThreadPool.PendingWorkItemCount),
            ("dispatchMilliseconds", Math.Round(clock.GetElapsedTime(asked).TotalMilliseconds, 2)),
            ("processorSeconds", Math.Round(Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds, 1)));
    }
}
