using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.Drills;

sealed class DrillConfiguration : IEntityTypeConfiguration<Drill>
{
    public void Configure(EntityTypeBuilder<Drill> builder)
    {
        builder.ToTable("drills");
        builder.Ignore(d => d.IsOver).Ignore(d => d.MetRecovery).Ignore(d => d.MetLoss).Ignore(d => d.MetAll);
        builder.Property(d => d.TargetName).HasMaxLength(60);
        builder.Property(d => d.RequestedBy).HasMaxLength(Text.NameLength);
        builder.Property(d => d.Reason).HasMaxLength(Drill.ReasonLength);
        builder.Property(d => d.Lessons).HasMaxLength(Drill.LessonsLength);
        builder.Property(d => d.LessonsBy).HasMaxLength(Text.NameLength);
        builder.Property(d => d.SignedOffBy).HasMaxLength(Text.NameLength);
        builder.Property(d => d.Version).IsRowVersion();
        builder.HasOne<BackupTarget>().WithMany().HasForeignKey(d => d.TargetId).OnDelete(DeleteBehavior.Restrict);
        // Drills are evidence: rows of backups and runs are forgotten sooner.
        builder.HasIndex(d => new { d.StartedAt, d.Id });
        builder.HasIndex(d => new { d.TargetId, d.StartedAt, d.Id });
        builder.HasIndex(d => d.BackupId).HasFilter("outcome = 'Running'").HasDatabaseName("ix_drills_running");
    }
}

sealed class DrillCheckConfiguration : IEntityTypeConfiguration<DrillCheck>
{
    public void Configure(EntityTypeBuilder<DrillCheck> builder)
    {
        builder.ToTable("drill_checks");
        builder.Ignore(c => c.Expectation);
        builder.Property(c => c.Name).HasMaxLength(Text.NameLength);
        builder.Property(c => c.Sql).HasMaxLength(DrillCheck.SqlLength);
        builder.Property(c => c.Value).HasMaxLength(DrillCheck.ValueLength);
        builder.HasOne<BackupTarget>().WithMany().HasForeignKey(c => c.TargetId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(c => new { c.TargetId, c.Name }).IsUnique();
    }
}

sealed class DrillActionConfiguration : IEntityTypeConfiguration<DrillAction>
{
    public void Configure(EntityTypeBuilder<DrillAction> builder)
    {
        builder.ToTable("drill_actions");
        builder.Ignore(a => a.IsOpen);
        builder.Property(a => a.Text).HasMaxLength(DrillAction.TextLength);
        builder.Property(a => a.Owner).HasMaxLength(Text.NameLength);
        builder.Property(a => a.CreatedBy).HasMaxLength(Text.NameLength);
        builder.Property(a => a.DoneBy).HasMaxLength(Text.NameLength);
        builder.Property(a => a.Version).IsRowVersion();
        builder.HasOne<Drill>().WithMany().HasForeignKey(a => a.DrillId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(a => a.DrillId);
        builder.HasIndex(a => new { a.TargetId, a.CreatedAt }).HasFilter("tested_by is null").HasDatabaseName("ix_drill_actions_open");
    }
}

sealed class DrillEvidenceConfiguration : IEntityTypeConfiguration<DrillEvidence>
{
    public void Configure(EntityTypeBuilder<DrillEvidence> builder)
    {
        builder.ToTable("drill_evidence");
        builder.HasKey(e => e.Position);
        builder.Property(e => e.Position).ValueGeneratedNever();
        builder.Ignore(e => e.SealText);
        builder.HasOne<Drill>().WithMany().HasForeignKey(e => e.DrillId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(e => new { e.DrillId, e.Kind }).IsUnique();
    }
}
