using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Portal.Infrastructure.Sentry;

namespace Portal.Hosting.Errors;

/// <summary>What was logged lately in one request, one circuit, or the background: the latest 50 lines.</summary>
public sealed class Trail(string origin, long started)
{
    public const int Length = 50;

    readonly Lock gate = new();
    Queue<Breadcrumb>? crumbs;

    /// <summary>request, circuit or background.</summary>
    public string Origin => origin;

    public long Started => started;

    public string TraceId => field ??= Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    public void Add(Breadcrumb crumb)
    {
        lock (gate)
        {
            crumbs ??= new Queue<Breadcrumb>(Length);
            if (crumbs.Count == Length) crumbs.Dequeue();
            crumbs.Enqueue(crumb);
        }
    }

    public IReadOnlyList<Breadcrumb> Latest { get { lock (gate) return crumbs is null ? [] : [.. crumbs]; } }
}

/// <summary>The trail that the work at hand belongs to.</summary>
public sealed class Trails(TimeProvider clock)
{
    readonly AsyncLocal<Trail?> current = new();
    readonly Trail background = new("background", 0);

    public Trail Current => current.Value ?? background;

    public Trail Begin(string origin) => current.Value = new Trail(origin, clock.GetTimestamp());

    public async Task Within(Trail trail, Func<Task> work)
    {
        var before = current.Value;
        current.Value = trail;
        try
        {
            await work();
        }
        finally
        {
            current.Value = before;
        }
    }
}

/// <summary>An open screen leaves one trail while it is open, whichever connection it works through.</summary>
sealed class CircuitTrail(Trails trails, TimeProvider clock) : CircuitHandler
{
    readonly Trail trail = new("circuit", clock.GetTimestamp());

    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) =>
        context => trails.Within(trail, () => next(context));
}

/// <summary>Joins what belongs together, also where nobody listens for activities.</summary>
static class TraceIds
{
    public static string Of(Trail trail) => Activity.Current?.TraceId.ToHexString() ?? trail.TraceId;
}
