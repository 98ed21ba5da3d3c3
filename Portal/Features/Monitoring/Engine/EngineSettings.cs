using System.Net;
using Portal.Hosting;
using Portal.Infrastructure;

namespace Portal.Features.Monitoring.Engine;

/// <summary>How the engine of one node is set up.</summary>
/// <param name="Node">Unique for each start of a process.</param>
/// <param name="Lease">How long a node that fell silent keeps its shards.</param>
/// <param name="Follow">How soon changed monitors are seen when no hint came.</param>
public sealed record EngineSettings(NodeName Node, TimeSpan Lease, TimeSpan Renew, TimeSpan Follow)
{
    /// <summary>So many results wait for the database at most; beyond them the oldest are given up.</summary>
    public int Waiting { get; init; } = WaitingResults;

    /// <summary>Places out there that tell whether this node reaches the world; none: every failure is the target's.</summary>
    public IReadOnlyList<DnsEndPoint> ConnectivityTargets { get; init; } = [];

    /// <summary>Results are at most this old when they are written.</summary>
    public static readonly TimeSpan BatchAge = TimeSpan.FromMilliseconds(500);
    /// <summary>A new monitor is checked within 5 s: up to 2 s to be noticed, and so many at most until its turn.</summary>
    public static readonly TimeSpan FirstCheckWithin = TimeSpan.FromSeconds(2);
    public const int ChecksAtOnce = 4_000;
    public const int WaitingResults = 100_000;
    public const int BatchSize = 5_000;

    public static EngineSettings From(NodeName node, PortalOptions portal) =>
        new(node, portal.Timing.ShardLease, portal.Timing.ShardRenew, portal.Timing.Follow) { ConnectivityTargets = portal.ConnectivityTargets };
}

/// <summary>Wakes its one waiter, once, however often it was rung in the meantime.</summary>
sealed class Bell(TimeProvider clock)
{
    TaskCompletionSource rung = New();

    public void Ring() => Volatile.Read(ref rung).TrySetResult();

    /// <summary>Until it rings, or the time is over.</summary>
    public async Task Wait(TimeSpan atMost, CancellationToken ct)
    {
        if (atMost <= TimeSpan.Zero) return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await Task.WhenAny(rung.Task, Task.Delay(atMost, clock, over.Token));
        await over.CancelAsync();
        ct.ThrowIfCancellationRequested();
        Rearm();
    }

    public async Task Wait(CancellationToken ct)
    {
        await rung.Task.WaitAsync(ct);
        Rearm();
    }

    // Whoever rings between the two has left their work already, and the waiter looks for work next.
    void Rearm()
    {
        if (rung.Task.IsCompleted) Volatile.Write(ref rung, New());
    }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
