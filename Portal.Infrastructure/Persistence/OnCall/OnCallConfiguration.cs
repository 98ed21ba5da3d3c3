using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.OnCall;

sealed class RotationConfiguration : IEntityTypeConfiguration<Rotation>
{
    public void Configure(EntityTypeBuilder<Rotation> builder)
    {
        builder.ToTable("rotations");
        builder.Property(r => r.Name).HasMaxLength(Text.NameLength);
        builder.Property(r => r.Zone).HasMaxLength(64);
        builder.Property(r => r.Start).HasColumnType("timestamp without time zone");
        builder.Property(r => r.HandOvers).AsJson();
        builder.Property(r => r.Participants).AsJson();
        builder.Property(r => r.Version).IsRowVersion();
    }
}

sealed class OnCallScheduleConfiguration : IEntityTypeConfiguration<OnCallSchedule>
{
    public void Configure(EntityTypeBuilder<OnCallSchedule> builder)
    {
        builder.ToTable("on_call_schedules");
        builder.Property(s => s.Name).HasMaxLength(Text.NameLength);
        builder.Property(s => s.Zone).HasMaxLength(64);
        builder.Property(s => s.Layers).AsJson();
        builder.Property(s => s.Version).IsRowVersion();
        builder.HasMany(s => s.Overrides).WithOne().HasForeignKey(o => o.ScheduleId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(s => s.Overrides).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.HasMany(s => s.Temporaries).WithOne().HasForeignKey(t => t.ScheduleId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(s => s.Temporaries).UsePropertyAccessMode(PropertyAccessMode.Field);
    }
}

sealed class OnCallOverrideConfiguration : IEntityTypeConfiguration<OnCallOverride>
{
    public void Configure(EntityTypeBuilder<OnCallOverride> builder)
    {
        builder.ToTable("on_call_overrides");
        builder.Ignore(o => o.Time);
        builder.Property(o => o.MadeBy).HasMaxLength(Text.NameLength);
        builder.HasIndex(o => new { o.ScheduleId, o.To });
    }
}

sealed class TemporaryScheduleConfiguration : IEntityTypeConfiguration<TemporarySchedule>
{
    public void Configure(EntityTypeBuilder<TemporarySchedule> builder)
    {
        builder.ToTable("temporary_schedules");
        builder.Ignore(t => t.Time);
        builder.Property(t => t.Shifts).AsJson();
        builder.Property(t => t.MadeBy).HasMaxLength(Text.NameLength);
        builder.HasIndex(t => new { t.ScheduleId, t.To });
    }
}

sealed class EscalationPolicyConfiguration : IEntityTypeConfiguration<EscalationPolicy>
{
    public void Configure(EntityTypeBuilder<EscalationPolicy> builder)
    {
        builder.ToTable("escalation_policies");
        builder.Ignore(p => p.Current);
        builder.Property(p => p.Name).HasMaxLength(Text.NameLength);
        builder.Property(p => p.Versions).AsJson();
        builder.Property(p => p.Version).IsRowVersion();
    }
}

sealed class EscalationConfiguration : IEntityTypeConfiguration<Escalation>
{
    public void Configure(EntityTypeBuilder<Escalation> builder)
    {
        builder.ToTable("escalations");
        builder.HasKey(e => e.AlertId);
        builder.Property(e => e.AcknowledgedBy).HasMaxLength(Text.NameLength);
        builder.Property(e => e.Version).IsRowVersion();
        builder.HasOne<Alert>().WithOne().HasForeignKey<Escalation>(e => e.AlertId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<EscalationPolicy>().WithMany().HasForeignKey(e => e.PolicyId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(e => e.NextAt).HasFilter("next_at is not null").HasDatabaseName("ix_escalations_due");
        builder.HasIndex(e => e.PolicyId);
    }
}

sealed class ShiftSettingsConfiguration : IEntityTypeConfiguration<ShiftSettings>
{
    public void Configure(EntityTypeBuilder<ShiftSettings> builder)
    {
        builder.ToTable("shift_settings");
        builder.HasKey(s => s.PersonId);
        builder.Property(s => s.Version).IsRowVersion();
        builder.HasOne<Person>().WithOne().HasForeignKey<ShiftSettings>(s => s.PersonId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(s => s.CalendarHash).IsUnique().HasFilter("calendar_hash is not null");
    }
}
