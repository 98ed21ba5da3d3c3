using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Features.Monitoring.Places;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Edits what is checked and how it is judged, pauses and resumes; what was found so far stays. All of a request is saved, or nothing.</summary>
/// <remarks>The node that runs the monitor ends its outage and opens the gap when it sees a pause: only it writes run state.</remarks>
public sealed class ChangeMonitor(IDbContextFactory<PortalDbContext> contexts, TargetConsent consent, SealedSecrets secrets, TimeProvider clock)
{
    /// <param name="Settings">Null edits nothing.</param>
    /// <param name="AllowPrivate">Null keeps the consent while the target stays; see <see cref="TargetConsent"/>.</param>
    /// <param name="Paused">True stops checking until somebody resumes, and the time until then is shown as without data; null leaves it as it is.</param>
    /// <param name="Version">The version that was edited; null takes what stands.</param>
    /// <param name="Secrets">All that there shall be, a null value for one that stays as it is; null leaves them all.</param>
    public sealed record Request(MonitorId Monitor, MonitorSettings? Settings = null, bool? AllowPrivate = null, bool? Paused = null, uint? Version = null, IReadOnlyDictionary<string, string?>? Secrets = null);

    public async Task Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var monitor = await db.Existing(request.Monitor, ct);
        if (request.Version is { } seen && seen != monitor.Version)
            throw new ConflictException("Somebody else changed this monitor since you opened it. Nothing was saved: look at what stands now and decide anew.");
        var chart = monitor.PublicChart;
        var done = new List<AuditEntry>();
        if (request.Settings is { } settings)
        {
            await Edit(db, monitor, settings, request, actor, now, ct);
            Note("monitor.changed", CreateMonitor.Summary(monitor));
        }
        if (request.Paused == true && monitor.PausedAt is null)
        {
            monitor.Pause(now);
            Note("monitor.paused", monitor.Name);
        }
        else if (request.Paused == false && monitor.PausedAt is not null)
        {
            monitor.Resume(now);
            if (await db.Heartbeats.SingleOrDefaultAsync(h => h.MonitorId == monitor.Id, ct) is { } heartbeat) heartbeat.JudgeFrom(now);
            Note("monitor.resumed", monitor.Name);
        }
        if (done.Count == 0) return;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await PublicCharts.Require(db, monitor, chart, ct);
        if (request.Settings is not null)
        {
            await Dependencies.Require(db, monitor, ct);
            await WatchingPlaces.Require(db, monitor, ct);
        }
        await db.Commit(done, ct);
        await transaction.CommitAsync(ct);

        void Note(string action, string words) => done.Add(new AuditEntry(actor, action, monitor.Id.ToString(), words, now));
    }

    async Task Edit(PortalDbContext db, Monitor monitor, MonitorSettings settings, Request request, Actor actor, DateTimeOffset now, CancellationToken ct)
    {
        // Judged as a new one first, so that the address is the one that would be stored and nothing is looked up for settings that are refused anyway.
        var draft = monitor.BuiltIn ? monitor : new Monitor(settings with { AllowPrivate = false }, now);
        var allowed = await consent.Decide(draft, settings.Places ?? [], settings.FromHere, request.AllowPrivate, actor, monitor, ct);
        var (origin, schedule) = (MonitorTarget.OriginOf(monitor.Target), Schedule(monitor));
        monitor.Change(settings with { AllowPrivate = allowed }, now);
        var moved = origin != MonitorTarget.OriginOf(monitor.Target);
        // Whoever leads a monitor elsewhere must know what it sends there.
        if (request.Secrets is not null || moved && monitor.SecretNames.Count > 0)
        {
            var given = request.Secrets ?? monitor.SecretNames.ToDictionary(n => n, string? (_) => null);
            var all = MonitorSecrets.Merge(monitor.Kind, given, given.Count > 0 ? secrets.Open(monitor) : MonitorSecrets.None, moved);
            monitor.Keep(all.Keys, secrets.Seal(all, monitor.Id), now);
        }
        if (schedule != Schedule(monitor) && await db.Heartbeats.SingleOrDefaultAsync(h => h.MonitorId == monitor.Id, ct) is { } heartbeat) heartbeat.JudgeFrom(now);
        await WatchedComponent.Require(db, monitor.ComponentId, ct);
    }

    internal static (int?, string?, string?) Schedule(Monitor monitor) => (monitor.Options.PeriodSeconds, monitor.Options.Cron, monitor.Options.Zone);
}

static class MonitorLookup
{
    public static async Task<Monitor> Existing(this PortalDbContext db, MonitorId id, CancellationToken ct) =>
        await db.Monitors.SingleOrDefaultAsync(m => m.Id == id, ct) ?? throw new NotFoundException("monitor");
}
