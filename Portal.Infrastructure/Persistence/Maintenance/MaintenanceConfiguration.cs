using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Infrastructure.Persistence.Maintenance;

sealed class MaintenanceWindowConfiguration : IEntityTypeConfiguration<MaintenanceWindow>
{
    public void Configure(EntityTypeBuilder<MaintenanceWindow> builder)
    {
        builder.ToTable("maintenance_windows");
        builder.Ignore(w => w.Plan).Ignore(w => w.Times).Ignore(w => w.Components);
        builder.Property(w => w.Title).HasMaxLength(Text.TitleLength);
        builder.Property(w => w.Message).HasMaxLength(Text.MessageLength);
        builder.Property(w => w.Zone).HasMaxLength(64);
        builder.Property(w => w.CreatedBy).HasMaxLength(Text.NameLength);
        builder.Property(w => w.Version).IsRowVersion();
        builder.HasMany(w => w.Updates).WithOne().HasForeignKey(u => u.WindowId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(w => w.Updates).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.HasMany(w => w.Scope).WithOne().HasForeignKey(c => c.WindowId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(w => w.Scope).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.HasIndex(w => new { w.StartsAt, w.Id });
        builder.HasIndex(w => w.EndsAt);
    }
}

sealed class MaintenanceUpdateConfiguration : IEntityTypeConfiguration<MaintenanceUpdate>
{
    public void Configure(EntityTypeBuilder<MaintenanceUpdate> builder)
    {
        builder.ToTable("maintenance_updates");
        builder.Property(u => u.Body).HasMaxLength(Text.MessageLength);
        builder.Property(u => u.Author).HasMaxLength(Text.NameLength);
        builder.HasIndex(u => new { u.WindowId, u.CreatedAt });
    }
}

sealed class MaintainedComponentConfiguration : IEntityTypeConfiguration<MaintainedComponent>
{
    public void Configure(EntityTypeBuilder<MaintainedComponent> builder)
    {
        builder.ToTable("maintained_components");
        builder.HasOne<Component>().WithMany().HasForeignKey(c => c.ComponentId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(c => new { c.WindowId, c.ComponentId }).IsUnique().HasFilter("removed_at is null").HasDatabaseName("ix_maintained_components_named");
        builder.HasIndex(c => c.WindowId);
        builder.HasIndex(c => c.ComponentId);
    }
}
