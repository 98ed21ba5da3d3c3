using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

/// <summary>Stops checking until somebody resumes; the time until then is shown as without data.</summary>
/// <remarks>The node that runs the monitor ends its outage and opens the gap when it sees the pause: only it writes run state.</remarks>
public sealed class PauseMonitor(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(MonitorId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitor = await db.Existing(id, null, ct);
        if (monitor.PausedAt is not null) return;
        monitor.Pause(now);
        await db.Commit(new AuditEntry(actor, "monitor.paused", id.ToString(), monitor.Name, now), ct);
    }
}

/// <summary>Checks again, within five seconds.</summary>
public sealed class ResumeMonitor(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(MonitorId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitor = await db.Existing(id, null, ct);
        if (monitor.PausedAt is null) return;
        monitor.Resume(now);
        await db.Commit(new AuditEntry(actor, "monitor.resumed", id.ToString(), monitor.Name, now), ct);
    }
}
