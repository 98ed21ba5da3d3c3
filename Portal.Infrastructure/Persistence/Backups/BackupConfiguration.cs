using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.Backups;

sealed class BackupStoreConfiguration : IEntityTypeConfiguration<BackupStore>
{
    public void Configure(EntityTypeBuilder<BackupStore> builder)
    {
        builder.ToTable("backup_stores");
        builder.Ignore(s => s.HasSheet);
        builder.Property(s => s.Name).HasMaxLength(Text.NameLength);
        builder.Property(s => s.Place).HasColumnType("jsonb").HasConversion(p => JsonSerializer.Serialize(p, JsonSerializerOptions.Web), text => JsonSerializer.Deserialize<StorePlace>(text, JsonSerializerOptions.Web)!);
        builder.Property(s => s.SheetConfirmedBy).HasMaxLength(Text.NameLength);
        builder.Property(s => s.Version).IsRowVersion();
        builder.HasIndex(s => s.Name).IsUnique();
        builder.HasIndex(s => s.IsConfigured).IsUnique().HasFilter("is_configured");
    }
}

sealed class BackupTargetConfiguration : IEntityTypeConfiguration<BackupTarget>
{
    public void Configure(EntityTypeBuilder<BackupTarget> builder)
    {
        builder.ToTable("backup_targets");
        builder.Ignore(t => t.IsDatabase);
        builder.Property(t => t.Name).HasMaxLength(60);
        builder.Property(t => t.Place).HasMaxLength(StorePlace.PathLength);
        builder.Property(t => t.Version).IsRowVersion();
        builder.HasIndex(t => t.Name).IsUnique().HasFilter("removed_at is null");
    }
}

sealed class BackupPlanConfiguration : IEntityTypeConfiguration<BackupPlan>
{
    public void Configure(EntityTypeBuilder<BackupPlan> builder)
    {
        builder.ToTable("backup_plans");
        builder.Ignore(p => p.Stores).Ignore(p => p.TellsSuccess);
        builder.Property(p => p.Name).HasMaxLength(Text.NameLength);
        builder.Property(p => p.Retention).HasColumnType("jsonb").HasConversion(r => JsonSerializer.Serialize(r, JsonSerializerOptions.Web), text => JsonSerializer.Deserialize<Retention>(text, JsonSerializerOptions.Web)!);
        builder.Property(p => p.Version).IsRowVersion();
        builder.HasOne<BackupTarget>().WithMany().HasForeignKey(p => p.TargetId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<JobSchedule>().WithMany().HasForeignKey(p => p.ScheduleId).OnDelete(DeleteBehavior.Restrict);
    }
}

sealed class BackupEntityConfiguration : IEntityTypeConfiguration<Backup>
{
    public void Configure(EntityTypeBuilder<Backup> builder)
    {
        builder.ToTable("backups");
        builder.Ignore(b => b.Level).Ignore(b => b.VerifiedAt);
        builder.Property(b => b.Damage).HasMaxLength(1_000);
        builder.Property(b => b.DeletedBecause).HasMaxLength(Backup.ReasonLength);
        builder.Property(b => b.Version).IsRowVersion();
        builder.HasOne<BackupPlan>().WithMany().HasForeignKey(b => b.PlanId).OnDelete(DeleteBehavior.SetNull);
        builder.HasOne<BackupTarget>().WithMany().HasForeignKey(b => b.TargetId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<BackupStore>().WithMany().HasForeignKey(b => b.StoreId).OnDelete(DeleteBehavior.Restrict);
        // Runs are forgotten sooner than backups, so their ids are no foreign keys.
        builder.HasIndex(b => b.RunId);
        builder.HasIndex(b => new { b.PlanId, b.StoreId, b.At }).HasFilter("state = 'Kept'");
        builder.HasIndex(b => new { b.StartedAt, b.Id });
        builder.HasIndex(b => new { b.TargetId, b.StartedAt, b.Id });
        builder.HasIndex(b => b.State).HasFilter("state = 'Writing' or (state = 'Deleted' and not is_gone)").HasDatabaseName("ix_backups_unsettled");
    }
}

sealed class RestoreConfiguration : IEntityTypeConfiguration<Restore>
{
    public void Configure(EntityTypeBuilder<Restore> builder)
    {
        builder.ToTable("restores");
        builder.Property(r => r.Into).HasMaxLength(Restore.IntoLength);
        builder.Property(r => r.KeptAs).HasMaxLength(100);
        builder.Property(r => r.RequestedBy).HasMaxLength(Text.NameLength);
        builder.Property(r => r.Report).HasColumnType("jsonb");
        builder.Property(r => r.Version).IsRowVersion();
        builder.HasOne<Backup>().WithMany().HasForeignKey(r => r.BackupId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(r => new { r.QueuedAt, r.Id });
        builder.HasIndex(r => r.IsSettled).HasFilter("not is_settled").HasDatabaseName("ix_restores_unsettled");
    }
}
