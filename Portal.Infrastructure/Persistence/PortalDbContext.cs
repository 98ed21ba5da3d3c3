using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
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
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence.Alerting;
using Portal.Infrastructure.Persistence.Outbox;

namespace Portal.Infrastructure.Persistence;

/// <summary>The unit of work. One context per operation, from an <see cref="IDbContextFactory{TContext}"/>.</summary>
/// <remarks>
/// A use case saves through <see cref="Commit"/>, which takes the audit row along. Whatever is saved, the same transaction raises the
/// page's version when customers could see a difference, and notifies all nodes of the topics that changed (<see cref="Changes"/>).
/// </remarks>
public sealed class PortalDbContext(DbContextOptions<PortalDbContext> options) : DbContext(options)
{
    public DbSet<Component> Components => Set<Component>();
    public DbSet<ComponentGroup> ComponentGroups => Set<ComponentGroup>();
    public DbSet<StatusOverride> StatusOverrides => Set<StatusOverride>();
    public DbSet<Incident> Incidents => Set<Incident>();
    public DbSet<IncidentUpdate> IncidentUpdates => Set<IncidentUpdate>();
    public DbSet<IncidentEffect> IncidentEffects => Set<IncidentEffect>();
    public DbSet<MaintenanceWindow> MaintenanceWindows => Set<MaintenanceWindow>();
    public DbSet<MaintainedComponent> MaintainedComponents => Set<MaintainedComponent>();
    public DbSet<Domain.Monitoring.Monitor> Monitors => Set<Domain.Monitoring.Monitor>();
    public DbSet<MonitorState> MonitorStates => Set<MonitorState>();
    public DbSet<Heartbeat> Heartbeats => Set<Heartbeat>();
    public DbSet<ProbePlace> ProbePlaces => Set<ProbePlace>();
    public DbSet<HeardCheck> HeardChecks => Set<HeardCheck>();
    public DbSet<MonitorImport> MonitorImports => Set<MonitorImport>();
    public DbSet<ImportedMonitor> ImportedMonitors => Set<ImportedMonitor>();
    public DbSet<StoredCheck> Checks => Set<StoredCheck>();
    public DbSet<Outage> Outages => Set<Outage>();
    public DbSet<ObservationGap> ObservationGaps => Set<ObservationGap>();
    public DbSet<ShardLease> ShardLeases => Set<ShardLease>();
    public DbSet<LiveNode> LiveNodes => Set<LiveNode>();
    public DbSet<Person> People => Set<Person>();
    public DbSet<Session> Sessions => Set<Session>();
    public DbSet<OneTimeLink> OneTimeLinks => Set<OneTimeLink>();
    public DbSet<SignInThrottle> SignInThrottles => Set<SignInThrottle>();
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    public DbSet<JobRun> JobRuns => Set<JobRun>();
    public DbSet<JobLogLine> JobLog => Set<JobLogLine>();
    public DbSet<JobSchedule> JobSchedules => Set<JobSchedule>();
    public DbSet<Notice> Notices => Set<Notice>();
    public DbSet<QueuedMail> Mails => Set<QueuedMail>();
    public DbSet<Service> Services => Set<Service>();
    public DbSet<HeardSignal> HeardSignals => Set<HeardSignal>();
    public DbSet<Alert> Alerts => Set<Alert>();
    public DbSet<AlertEvent> AlertEvents => Set<AlertEvent>();
    public DbSet<AlertRule> AlertRules => Set<AlertRule>();
    public DbSet<Silence> Silences => Set<Silence>();
    public DbSet<Rotation> Rotations => Set<Rotation>();
    public DbSet<OnCallSchedule> OnCallSchedules => Set<OnCallSchedule>();
    public DbSet<EscalationPolicy> EscalationPolicies => Set<EscalationPolicy>();
    public DbSet<Escalation> Escalations => Set<Escalation>();
    public DbSet<ShiftSettings> ShiftSettings => Set<ShiftSettings>();
    public DbSet<Channel> Channels => Set<Channel>();
    public DbSet<Contact> Contacts => Set<Contact>();
    public DbSet<ContactGroup> ContactGroups => Set<ContactGroup>();
    public DbSet<Delivery> Deliveries => Set<Delivery>();
    public DbSet<DeliveryEvent> DeliveryEvents => Set<DeliveryEvent>();
    public DbSet<BackupStore> BackupStores => Set<BackupStore>();
    public DbSet<BackupTarget> BackupTargets => Set<BackupTarget>();
    public DbSet<BackupPlan> BackupPlans => Set<BackupPlan>();
    public DbSet<Backup> Backups => Set<Backup>();
    public DbSet<Restore> Restores => Set<Restore>();
    public DbSet<Drill> Drills => Set<Drill>();
    public DbSet<DrillCheck> DrillChecks => Set<DrillCheck>();
    public DbSet<DrillAction> DrillActions => Set<DrillAction>();
    public DbSet<DrillEvidence> DrillEvidence => Set<DrillEvidence>();
    public DbSet<AuditEntry> Audit => Set<AuditEntry>();
    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();
    public DbSet<IdempotentAnswer> IdempotentAnswers => Set<IdempotentAnswer>();
    public DbSet<Setting> Settings => Set<Setting>();
    public DbSet<PageVersion> PageVersions => Set<PageVersion>();
    public DbSet<ProtectionKey> ProtectionKeys => Set<ProtectionKey>();

    /// <summary>What this context saved and its transaction has not committed yet.</summary>
    internal List<Announcement> Announced { get; } = [];

    /// <summary>Saves everything together with the row that says who did it. The only way a use case saves.</summary>
    /// <exception cref="ConflictException">Somebody else changed the same row first; nothing was saved.</exception>
    public Task Commit(AuditEntry entry, CancellationToken ct) => Commit([entry], ct);

    /// <summary>One save for a request that does more than one thing.</summary>
    public async Task Commit(IReadOnlyCollection<AuditEntry> entries, CancellationToken ct)
    {
        Audit.AddRange(entries);
        try
        {
            await SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            throw new ConflictException("Somebody else changed this at the same moment. Nothing was saved: look at what stands now and try again.");
        }
    }

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        ChangeTracker.DetectChanges();
        var changes = Changes.Of(ChangeTracker);
        if (changes.Topics.Count == 0) return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        var outer = Database.CurrentTransaction;
        var transaction = outer is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
        try
        {
            var rows = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
            await changes.Announce(this, cancellationToken);
            if (transaction is not null) await transaction.CommitAsync(cancellationToken);
            return rows;
        }
        finally
        {
            if (transaction is not null) await transaction.DisposeAsync();
        }
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        StoredId.Register(configurationBuilder);
        foreach (var type in new[] { typeof(ComponentStatus), typeof(Indicator), typeof(Severity), typeof(IncidentStatus), typeof(UpdateVisibility), typeof(MaintenanceStatus), typeof(MonitorKind), typeof(MonitorHealth), typeof(CheckOutcome), typeof(Role), typeof(LinkPurpose), typeof(ActorKind), typeof(RunState), typeof(BackupTargetKind), typeof(BackupState), typeof(ContentKind), typeof(VerificationLevel), typeof(DrillScenario), typeof(DrillOutcome), typeof(DrillCheckRule), typeof(DrillEvidenceKind), typeof(NoticeSeverity), typeof(MailState), typeof(AlertState), typeof(AlertQuiet), typeof(AlertEventKind), typeof(EscalationState), typeof(ChannelKind), typeof(DeliveryPurpose), typeof(DeliveryState) })
            configurationBuilder.Properties(type).HaveConversion<string>().HaveMaxLength(30);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(PortalDbContext).Assembly);
        SnakeCase.Apply(modelBuilder);
        // Ids are made by the domain: EF must insert, not guess from a set key that the row exists already.
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(e => e.FindPrimaryKey()?.Properties ?? []).Where(p => p.ClrType != typeof(long)))
            property.ValueGenerated = ValueGenerated.Never;
    }
}
