using System.Globalization;
using Portal.Features.Jobs;
using Portal.Hosting;
using Portal.Infrastructure.Jobs;

namespace Portal.Features.Health.Parts;

/// <summary>Jobs come to this node, and none waits that it could have begun.</summary>
public sealed class JobWorkerPart(QuartzDelivery delivery, JobWorker worker, RunLedger ledger, JobKinds kinds, StartupState startup, TimeProvider clock) : IHealthPart
{
    /// <summary>Longer than the delivery needs to notice that a node ended with a run in its hands.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    /// <summary>Between the end of the preparations and the first run that may come lies a moment.</summary>
    static readonly TimeSpan FirstMoment = TimeSpan.FromSeconds(1.5);

    public string Name => "job-worker";

    public async Task<PartReport> Look(CancellationToken ct)
    {
        if (startup.Prepared.IsCompleted && !delivery.Begun.IsCompleted) await Task.WhenAny(delivery.Begun, Task.Delay(FirstMoment, clock, ct));
        if (!delivery.IsRunning) return PartReport.Failing(delivery.HasStarted ? "No jobs come to this node: their delivery has stopped." : "No jobs come to this node: their delivery has not started yet.");
        // What one begins after the other cannot be begun all at once.
        var overdue = worker.Working < delivery.Width && worker.Idle > Patience ? await ledger.Overdue(Patience, ct) : null;
        if (overdue is { } run)
            return PartReport.Failing(string.Create(CultureInfo.InvariantCulture, $"{kinds.TitleOf(run.Kind)} ({run.Subject}) waits since {run.DueAt.UtcDateTime:d MMM, HH:mm} UTC, and nobody begins it."));
        return PartReport.Ok(("working", worker.Working), ("atATime", delivery.Width));
    }
}
