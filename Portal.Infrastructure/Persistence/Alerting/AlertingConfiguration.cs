using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.Alerting;

sealed class ServiceConfiguration : IEntityTypeConfiguration<Service>
{
    public void Configure(EntityTypeBuilder<Service> builder)
    {
        builder.ToTable("services");
        builder.Ignore(s => s.Policies).Ignore(s => s.Settings);
        builder.Property(s => s.Name).HasMaxLength(Text.NameLength);
        builder.Property(s => s.Slug).HasMaxLength(60);
        builder.Property(s => s.Description).HasMaxLength(Text.DescriptionLength);
        builder.Property(s => s.Hours!).AsJson().IsRequired(false);
        builder.Property(s => s.Components).AsJson();
        builder.Property(s => s.Mapping!).AsJson().IsRequired(false);
        builder.Property(s => s.Version).IsRowVersion();
        // A policy that a service goes by cannot be taken away under it.
        builder.HasOne<EscalationPolicy>().WithMany().HasForeignKey(s => s.PolicyP0).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<EscalationPolicy>().WithMany().HasForeignKey(s => s.PolicyP1).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<EscalationPolicy>().WithMany().HasForeignKey(s => s.PolicyP2).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<EscalationPolicy>().WithMany().HasForeignKey(s => s.PolicyP3).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(s => s.Slug).IsUnique();
        builder.HasIndex(s => s.RoutingKeyHash).IsUnique();
    }
}

sealed class AlertConfiguration : IEntityTypeConfiguration<Alert>
{
    /// <summary>Among open alerts of a service a key is there once, whatever the nodes think.</summary>
    public const string OpenKeyIndex = "ix_alerts_open_key";

    public void Configure(EntityTypeBuilder<Alert> builder)
    {
        builder.ToTable("alerts");
        builder.Ignore(a => a.IsOpen);
        builder.Property(a => a.Key).HasMaxLength(AlertSignal.KeyLength);
        builder.Property(a => a.Summary).HasMaxLength(AlertSignal.SummaryLength);
        builder.Property(a => a.Source).HasMaxLength(AlertSignal.SourceLength);
        builder.Property(a => a.Labels).AsJson();
        builder.Property(a => a.Details).HasColumnType("jsonb");
        builder.Property(a => a.Link).HasMaxLength(AlertSignal.LinkLength);
        builder.Property(a => a.AcknowledgedBy).HasMaxLength(Text.NameLength);
        builder.Property(a => a.ResolvedBy).HasMaxLength(Text.NameLength);
        builder.Property(a => a.RaisedBy).HasMaxLength(Text.NameLength);
        builder.Property(a => a.QuietBecause).HasMaxLength(AlertSignal.SummaryLength + 20);
        builder.Property(a => a.Version).IsRowVersion();
        builder.HasOne<Service>().WithMany().HasForeignKey(a => a.ServiceId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Incident>().WithMany().HasForeignKey(a => a.IncidentId).OnDelete(DeleteBehavior.SetNull);
        builder.HasIndex(a => new { a.ServiceId, a.Key }).IsUnique().HasFilter("state <> 'Resolved'").HasDatabaseName(OpenKeyIndex);
        builder.HasIndex(a => new { a.TriggeredAt, a.Id });
        builder.HasIndex(a => new { a.ServiceId, a.TriggeredAt, a.Id });
        builder.HasIndex(a => new { a.TriggeredAt, a.Id }, "ix_alerts_open").HasFilter("state <> 'Resolved'");
        builder.HasIndex(a => new { a.TriggeredAt, a.Id }, "ix_alerts_hushed").HasFilter("state <> 'Resolved' and quiet in ('Silenced', 'Maintenance')");
        builder.HasIndex(a => new { a.ServiceId, a.Key, a.EndedAt }).HasFilter("ended_at is not null").HasDatabaseName("ix_alerts_ended");
        builder.HasIndex(a => new { a.RuleId, a.TriggeredAt }).HasFilter("rule_id is not null");
        builder.HasIndex(a => a.GroupId).HasFilter("group_id is not null");
        builder.HasIndex(a => a.IncidentId).HasFilter("incident_id is not null");
        builder.HasIndex(a => a.MonitorId).HasFilter("monitor_id is not null and state <> 'Resolved'").HasDatabaseName("ix_alerts_open_of_monitor");
    }
}

sealed class AlertEventConfiguration : IEntityTypeConfiguration<AlertEvent>
{
    public void Configure(EntityTypeBuilder<AlertEvent> builder)
    {
        builder.ToTable("alert_events");
        builder.Property(e => e.Text).HasMaxLength(AlertEvent.TextLength);
        builder.Property(e => e.By).HasMaxLength(Text.NameLength);
        builder.HasOne<Alert>().WithMany().HasForeignKey(e => e.AlertId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(e => new { e.AlertId, e.At, e.Id });
    }
}

sealed class HeardSignalConfiguration : IEntityTypeConfiguration<HeardSignal>
{
    public void Configure(EntityTypeBuilder<HeardSignal> builder)
    {
        builder.ToTable("heard_signals");
        builder.Property(s => s.Signal).AsJson();
    }
}

sealed class HeardMessageConfiguration : IEntityTypeConfiguration<HeardMessage>
{
    public void Configure(EntityTypeBuilder<HeardMessage> builder)
    {
        builder.ToTable("heard_messages");
        builder.HasKey(m => m.Hash);
        builder.HasIndex(m => m.HeardAt);
    }
}

sealed class SilenceConfiguration : IEntityTypeConfiguration<Silence>
{
    public void Configure(EntityTypeBuilder<Silence> builder)
    {
        builder.ToTable("silences");
        builder.Property(s => s.Labels).AsJson();
        builder.Property(s => s.Reason).HasMaxLength(Text.DescriptionLength);
        builder.Property(s => s.MadeBy).HasMaxLength(Text.NameLength);
        builder.Property(s => s.Version).IsRowVersion();
        builder.HasIndex(s => s.To);
    }
}

sealed class AlertRuleConfiguration : IEntityTypeConfiguration<AlertRule>
{
    public void Configure(EntityTypeBuilder<AlertRule> builder)
    {
        builder.ToTable("alert_rules");
        builder.Property(r => r.Name).HasMaxLength(Text.NameLength);
        builder.Property(r => r.Condition).AsJson();
        builder.Property(r => r.Tells).AsJson();
        builder.Property(r => r.Runbook).HasMaxLength(AlertSignal.LinkLength);
        builder.Property(r => r.Version).IsRowVersion();
        builder.HasOne<Service>().WithMany().HasForeignKey(r => r.ServiceId).OnDelete(DeleteBehavior.Restrict);
    }
}

/// <summary>What a source said, stored before it was answered, on its way to becoming an alert.</summary>
public sealed class HeardSignal
{
    HeardSignal() { }

    public HeardSignal(ServiceId service, AlertSignal signal, DateTimeOffset now) => (ServiceId, Signal, HeardAt) = (service, signal.Bounded(), now);

    /// <summary>In the order in which they were heard.</summary>
    public long Id { get; private set; }
    public ServiceId ServiceId { get; private set; }
    public AlertSignal Signal { get; private set; } = null!;
    public DateTimeOffset HeardAt { get; private set; }
}

/// <summary>A signed message that was taken in: it is not taken again, whoever sends it.</summary>
public sealed class HeardMessage
{
    HeardMessage() { }

    /// <summary>SHA-256 of the service, the kind of hook and what names the message.</summary>
    public byte[] Hash { get; private set; } = [];
    public DateTimeOffset HeardAt { get; private set; }
}
