using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;
using Monitor = Portal.Domain.Monitoring.Monitor;

namespace Portal.Features.Monitoring;

/// <summary>Sets the same few things of many monitors at once, and leaves everything else of each as it stands: what somebody else edits meanwhile is kept. All of it is saved, or nothing.</summary>
/// <remarks>No target changes, so each consent to a private address stands as it is.</remarks>
public sealed class ChangeMonitors(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>So many at once.</summary>
    public const int Most = 5_000;

    /// <param name="Window">Null widens a window only where it could not hold the failures.</param>
    /// <param name="MovesComponent">Whether <paramref name="Component"/> is set; null there detaches.</param>
    public sealed record Request(
        IReadOnlyCollection<MonitorId> Monitors, bool? Paused = null, MonitorTags? AddTags = null, MonitorTags? RemoveTags = null, TimeSpan? Interval = null, TimeSpan? Timeout = null,
        int? FailuresBeforeDown = null, int? Window = null, bool MovesComponent = false, ComponentId? Component = null)
    {
        static readonly IReadOnlyCollection<MonitorId> Nobody = [];

        public bool IsEmpty => this with { Monitors = Nobody } == new Request(Nobody);
    }

    /// <summary>Why one of them cannot be changed so.</summary>
    public sealed record Refused(MonitorId Monitor, string Name, string Why);

    /// <param name="Changed">How many are otherwise now: those that were so already are not counted.</param>
    /// <param name="Refused">When any is in here, nothing was saved.</param>
    public sealed record Outcome(int Changed, IReadOnlyList<Refused> Refused);

    public async Task<Outcome> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageMonitors);
        var now = clock.GetUtcNow();
        if (request.IsEmpty) throw new DomainException("Choose what is to change: a field that is left empty stays as it is.");
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (monitors, refused) = await db.Many(request.Monitors, ct);
        await WatchedComponent.Require(db, request.MovesComponent ? request.Component : null, ct);
        var resumed = new List<MonitorId>();
        var done = new List<AuditEntry>();
        foreach (var monitor in monitors)
            try
            {
                var paused = monitor.PausedAt;
                Change(monitor, request, actor, done, now);
                if (paused is not null && monitor.PausedAt is null) resumed.Add(monitor.Id);
            }
            catch (DomainException e)
            {
                refused.Add(new(monitor.Id, monitor.Name, e.Message));
            }
        if (refused.Count > 0) return new(0, refused);
        if (done.Count == 0) return new(0, []);
        foreach (var heartbeat in await db.Heartbeats.Where(h => resumed.Contains(h.MonitorId)).ToListAsync(ct)) heartbeat.JudgeFrom(now);
        await db.Commit(done, ct);
        await transaction.CommitAsync(ct);
        return new(done.Select(d => d.Subject).Distinct().Count(), []);
    }

    static void Change(Monitor monitor, Request request, Actor actor, List<AuditEntry> done, DateTimeOffset now)
    {
        var old = monitor.Settings;
        var failures = request.FailuresBeforeDown ?? old.FailuresBeforeDown;
        var wanted = old with
        {
            Tags = (old.Tags ?? MonitorTags.None).Without(request.RemoveTags ?? MonitorTags.None).With(request.AddTags ?? MonitorTags.None),
            Interval = request.Interval ?? old.Interval,
            Timeout = request.Timeout ?? old.Timeout,
            FailuresBeforeDown = failures,
            Window = request.Window ?? Math.Max(old.Window, failures),
            Component = request.MovesComponent ? request.Component : old.Component,
        };
        if (wanted != old)
        {
            monitor.Change(wanted, now);
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
            Note("monitor.resumed", monitor.Name);
        }

        void Note(string action, string words) => done.Add(new AuditEntry(actor, action, monitor.Id.ToString(), words, now));
    }
}

static class ManyMonitors
{
    /// <summary>Held until the transaction ends, in one order for everybody: nobody edits them meanwhile, and of two who want the same ones neither waits for the other.</summary>
    /// <returns>Those that are there, and a refusal for each that is not.</returns>
    /// <exception cref="DomainException">None, or too many.</exception>
    public static async Task<(List<Monitor> Monitors, List<ChangeMonitors.Refused> Gone)> Many(this PortalDbContext db, IReadOnlyCollection<MonitorId> wanted, CancellationToken ct)
    {
        var ids = wanted.Distinct().ToList();
        if (ids.Count is 0 or > ChangeMonitors.Most) throw new DomainException($"Choose 1 to {ChangeMonitors.Most:N0} monitors; these are {ids.Count:N0}.");
        Guid[] values = [.. ids.Select(i => i.Value)];
        await db.Database.ExecuteSqlAsync($"select 1 from monitors where id = any({values}) order by id for update", ct);
        var monitors = await db.Monitors.Where(m => ids.Contains(m.Id)).OrderByDescending(m => m.Critical).ThenBy(m => m.Id).ToListAsync(ct);
        return (monitors, [.. ids.Except(monitors.Select(m => m.Id)).Select(id => new ChangeMonitors.Refused(id, "A monitor that was chosen", "Somebody deleted it meanwhile. Choose anew."))]);
    }
}
