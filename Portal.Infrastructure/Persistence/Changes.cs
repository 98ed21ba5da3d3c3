using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Incidents;
using Portal.Domain.Jobs;
using Portal.Domain.Maintenance;
using Portal.Domain.Monitoring;
using Portal.Domain.Notifications;
using Portal.Domain.OnCall;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence.Alerting;
using Portal.Infrastructure.Persistence.Outbox;

namespace Portal.Infrastructure.Persistence;

/// <summary>What a save is about, for whoever watches: topics, and whether customers could see a difference.</summary>
/// <remarks>Topics: <c>audit</c>, <c>page</c>, <c>components</c>, <c>incidents</c>, <c>incident:{id}</c>, <c>maintenance</c>, <c>maintenance:{id}</c>, <c>monitors</c>, <c>places</c>, <c>people</c>, <c>api-keys</c>, <c>jobs</c>, <c>job:{id}</c>, <c>backups</c>, <c>drills</c>, <c>notices</c>, <c>mails</c>, <c>services</c>, <c>signals</c>, <c>alerts</c>, <c>alert:{id}</c>, <c>escalations</c>, <c>on-call</c>, <c>channels</c>, <c>contacts</c>, <c>deliveries</c>, <c>outbox</c>.</remarks>
public sealed record Changes(IReadOnlySet<string> Topics)
{
    /// <summary>The PostgreSQL channel on which nodes hear of each other's changes; the payload is an <see cref="Announcement"/>.</summary>
    public const string Channel = "portal_changes";

    const int TopicsAtOnce = 150;

    public bool Page => Topics.Contains("page");

    public static Changes Of(ChangeTracker tracker)
    {
        var topics = new HashSet<string>();
        foreach (var entry in tracker.Entries())
        {
            if (entry.State is EntityState.Unchanged or EntityState.Detached) continue;
            topics.UnionWith(TopicsOf(entry));
        }
        return new Changes(topics);
    }

    static string[] TopicsOf(EntityEntry entry) => entry.Entity switch
    {
        Component or ComponentGroup or StatusOverride => ["page", "components"],
        Incident i => ["page", "incidents", $"incident:{i.Id}"],
        IncidentUpdate { Visibility: UpdateVisibility.Internal } u => [$"incident:{u.IncidentId}"],
        IncidentUpdate u => ["page", "incidents", $"incident:{u.IncidentId}"],
        IncidentEffect e => ["page", "incidents", $"incident:{e.IncidentId}"],
        MaintenanceWindow w => ["page", "components", "maintenance", $"maintenance:{w.Id}"],
        MaintainedComponent c => ["page", "components", "maintenance", $"maintenance:{c.WindowId}"],
        MaintenanceUpdate { Visibility: UpdateVisibility.Internal } u => [$"maintenance:{u.WindowId}"],
        MaintenanceUpdate u => ["page", "maintenance", $"maintenance:{u.WindowId}"],
        Domain.Monitoring.Monitor => ["page", "monitors"],
        // Every check writes its state; only a change of health is seen by customers.
        MonitorImport => ["monitors"],
        MonitorState s when entry.State != EntityState.Modified || entry.Property(nameof(s.Health)).IsModified => ["page", "monitors"],
        Outage or ObservationGap => ["page", "monitors"],
        ProbePlace => ["places"],
        Person or Session => ["people"],
        ApiKey => ["api-keys"],
        JobRun r => ["jobs", $"job:{r.Id}"],
        JobSchedule => ["jobs"],
        Notice => ["notices"],
        QueuedMail => ["mails"],
        BackupTarget => ["backups", "drills"],
        BackupStore or BackupPlan or Backup or Restore => ["backups"],
        Drill or DrillCheck or DrillAction => ["drills"],
        Service or AlertRule or Silence => ["services"],
        HeardSignal when entry.State == EntityState.Added => ["signals"],
        Alert a => ["alerts", $"alert:{a.Id}"],
        AlertEvent e => [$"alert:{e.AlertId}"],
        Escalation e => ["escalations", $"alert:{e.AlertId}"],
        Rotation or OnCallSchedule or OnCallOverride or TemporarySchedule or EscalationPolicy or ShiftSettings => ["on-call"],
        Channel or ContactGroup => ["channels"],
        Contact => ["contacts"],
        Delivery { AlertId: { } alert } => ["deliveries", $"alert:{alert}"],
        Delivery => ["deliveries"],
        AuditEntry => ["audit"],
        OutboxMessage when entry.State == EntityState.Added => ["outbox"],
        _ => [],
    };

    /// <summary>In the transaction of the save itself, so that nobody hears of what was rolled back.</summary>
    internal async Task Announce(PortalDbContext db, CancellationToken ct)
    {
        var version = Page ? (await db.Database.SqlQueryRaw<long>("update page_versions set version = version + 1, changed_at = clock_timestamp() where id = 1 returning version").ToListAsync(ct))[0] : (long?)null;
        // A save of thousands of rows names more topics than one notice holds.
        foreach (var some in Topics.OrderBy(t => t.Contains(':', StringComparison.Ordinal)).Chunk(TopicsAtOnce))
        {
            var announcement = Announcement.Of(some, some.Contains("page") ? version : null);
            await db.Database.ExecuteSqlAsync($"select pg_notify({Channel}, {announcement.Text})", ct);
            db.Announced.Add(announcement);
        }
    }
}

/// <summary>The single row that says which state of the page is the newest; every node follows it.</summary>
public sealed class PageVersion
{
    public int Id { get; private set; }
    public long Version { get; private set; }
    public DateTimeOffset ChangedAt { get; private set; }
}

/// <summary>A fact about this installation under a name: whether it holds demonstration data, the key check of the master key.</summary>
public sealed class Setting
{
    public required string Key { get; init; }
    public required string Value { get; set; }
}

/// <summary>A data-protection key, wrapped by the master key.</summary>
public sealed class ProtectionKey
{
    public required string Name { get; init; }
    public required string WrappedXml { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>The answer to a write that named an <c>Idempotency-Key</c>: given again to whoever repeats it.</summary>
public sealed class IdempotentAnswer
{
    /// <summary>SHA-256 of the API key's id and the caller's key.</summary>
    public required byte[] Key { get; init; }
    /// <summary>SHA-256 of method, path and body: the same key with another request is a mistake.</summary>
    public required byte[] Request { get; init; }
    /// <summary>Null while the first request is still being worked on.</summary>
    public int? Status { get; set; }
    public string? Body { get; set; }
    public string? Location { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>What a place found, on its way to the node that runs the monitor.</summary>
public sealed class HeardCheck
{
    public long Id { get; private set; }
    public required int Shard { get; init; }
    public required MonitorId MonitorId { get; init; }
    public required ProbePlaceId PlaceId { get; init; }
    public required string PlaceName { get; init; }
    /// <summary>When it began, by this portal's clock.</summary>
    public required DateTimeOffset At { get; init; }
    public required float Milliseconds { get; init; }
    public required CheckOutcome Outcome { get; init; }
    public required short? StatusCode { get; init; }
    public required string? Detail { get; init; }
    /// <summary>What was asked: <see cref="Domain.Monitoring.Monitor.Look"/> of the settings that the place had.</summary>
    public required string Look { get; init; }
}

/// <summary>A check result as it is stored, written by COPY.</summary>
public sealed class StoredCheck
{
    public MonitorId MonitorId { get; private set; }
    public DateTimeOffset At { get; private set; }
    public float Milliseconds { get; private set; }
    public CheckOutcome Outcome { get; private set; }
    public short? StatusCode { get; private set; }
    public string? Detail { get; private set; }
    public string Node { get; private set; } = "";
    public long Epoch { get; private set; }
}
