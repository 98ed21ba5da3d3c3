using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Features.Access;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Begins to watch a target; the first check runs within five seconds.</summary>
public sealed class CreateMonitor(IDbContextFactory<PortalDbContext> contexts, TargetConsent consent, SealedSecrets secrets, TimeProvider clock)
{
    /// <param name="Settings">Its consent to private addresses is not read: see <paramref name="AllowPrivate"/>.</param>
    /// <param name="AllowPrivate">True consents to a private target, for an actor who may; otherwise such a target is refused.</param>
    /// <param name="Secrets">Values of headers by their names, or the password.</param>
    /// <param name="HeartbeatKey">The key of the address that is called, for a heartbeat; it is stored hashed.</param>
    public sealed record Request(MonitorSettings Settings, bool? AllowPrivate = null, bool Paused = false, IReadOnlyDictionary<string, string?>? Secrets = null, string? HeartbeatKey = null);

    public async Task<MonitorId> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        var monitor = new Monitor(request.Settings with { AllowPrivate = false }, now);
        if (await consent.Decide(monitor, monitor.Places, monitor.FromHere, request.AllowPrivate, actor, null, ct)) monitor.Change(monitor.Settings with { AllowPrivate = true }, now);
        if (request.Secrets is { Count: > 0 } given)
        {
            var all = MonitorSecrets.Merge(monitor.Kind, given, MonitorSecrets.None, moved: false);
            monitor.Keep(all.Keys, secrets.Seal(all, monitor.Id), now);
        }
        if (request.Paused) monitor.Pause(now);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await WatchedComponent.Require(db, monitor.ComponentId, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await PublicCharts.Require(db, monitor, null, ct);
        await Dependencies.Require(db, monitor, ct);
        await WatchingPlaces.Require(db, monitor, ct);
        db.Add(monitor);
        db.Add(new MonitorState(monitor.Id, now));
        if (request.HeartbeatKey is { } key) db.Add(new Heartbeat(monitor.Id, Secret.HashOf(key), now));
        await db.Commit(new AuditEntry(actor, "monitor.created", monitor.Id.ToString(), Summary(monitor), now), ct);
        await transaction.CommitAsync(ct);
        return monitor.Id;
    }

    internal static string Summary(Monitor monitor) =>
        $"{monitor.Name}: {monitor.Target}, every {monitor.Interval.TotalSeconds:0} s{(monitor.SecretNames.Count > 0 ? $", secrets: {string.Join(", ", monitor.SecretNames)}" : "")}{(monitor.AllowPrivate ? ", private addresses allowed" : "")}{(monitor.PublicChart is { } chart ? $", chart on the status page: {chart}" : "")}";
}

static class WatchedComponent
{
    public static async Task Require(PortalDbContext db, ComponentId? component, CancellationToken ct)
    {
        if (component is { } id && !await db.Components.AnyAsync(c => c.Id == id, ct)) throw new DomainException("There is no such component.", "component");
    }
}

static class PublicCharts
{
    /// <summary>Needs a transaction that lasts until the monitor is saved: of two that want the last place, one gets it.</summary>
    /// <param name="before">The title that stands; who has a chart keeps it.</param>
    /// <exception cref="DomainException">The page holds as many charts as it has room for.</exception>
    public static async Task Require(PortalDbContext db, Monitor monitor, string? before, CancellationToken ct)
    {
        if (monitor.PublicChart is null || before is not null) return;
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.public-charts'))", ct);
        if (await db.Monitors.CountAsync(m => m.PublicChart != null && m.Id != monitor.Id, ct) < Monitor.MostPublicCharts) return;
        throw new DomainException($"The status page has room for {Monitor.MostPublicCharts} charts and shows as many. Empty this field of another monitor first.", "publicChart");
    }
}
