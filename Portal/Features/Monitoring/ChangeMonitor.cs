using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Edits what is checked and how it is judged; what was found so far stays.</summary>
public sealed class ChangeMonitor(IDbContextFactory<PortalDbContext> contexts, TargetConsent consent, TimeProvider clock)
{
    /// <param name="AllowPrivate">Null keeps the consent while the target stays; see <see cref="TargetConsent"/>.</param>
    /// <param name="Version">The version that was edited; null takes what stands.</param>
    public sealed record Request(MonitorId Monitor, MonitorSettings Settings, bool? AllowPrivate = null, uint? Version = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitor = await db.Existing(request.Monitor, request.Version, ct);
        // Judged as a new one first, so that the address is the one that would be stored and nothing is looked up for settings that are refused anyway.
        var target = monitor.BuiltIn ? monitor.Target : new Monitor(request.Settings with { AllowPrivate = false }, now).Target;
        var allowed = await consent.Decide(target, request.AllowPrivate, actor, monitor, ct);
        monitor.Change(request.Settings with { AllowPrivate = allowed }, now);
        await WatchedComponent.Require(db, monitor.ComponentId, ct);
        await db.Commit(new AuditEntry(actor, "monitor.changed", monitor.Id.ToString(), CreateMonitor.Summary(monitor), now), ct);
    }
}

static class MonitorLookup
{
    public static async Task<Monitor> Existing(this PortalDbContext db, MonitorId id, uint? version, CancellationToken ct)
    {
        var monitor = await db.Monitors.SingleOrDefaultAsync(m => m.Id == id, ct) ?? throw new NotFoundException("monitor");
        return version is null || version == monitor.Version ? monitor
            : throw new ConflictException("Somebody else changed this monitor since you opened it. Nothing was saved: look at what stands now and decide anew.");
    }
}
