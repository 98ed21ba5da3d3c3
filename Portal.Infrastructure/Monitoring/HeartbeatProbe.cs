using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Infrastructure.Monitoring;

/// <summary>Looks at the last ping as it is stored, so that every node and every start judges alike.</summary>
public sealed class HeartbeatProbe(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock) : IProbe
{
    public MonitorKind Kind => MonitorKind.Heartbeat;

    /// <summary>Throws while the database is away: then nothing is known of the job, and nothing is said.</summary>
    public async Task<ProbeAnswer> Look(ProbeRequest request, CancellationToken ct)
    {
        var began = clock.GetTimestamp();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var heartbeat = await db.Heartbeats.AsNoTracking().SingleOrDefaultAsync(h => h.MonitorId == request.Monitor, ct);
        if (heartbeat is null) return new(CheckOutcome.NotConfigured, clock.GetElapsedTime(began), null, "It has no address yet. Make one in its editor.");
        var verdict = heartbeat.Judge(request.Options, clock.GetUtcNow());
        return new(verdict.Outcome, verdict.Duration ?? clock.GetElapsedTime(began), null, verdict.Detail);
    }
}
