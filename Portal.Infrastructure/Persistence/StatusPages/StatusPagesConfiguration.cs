using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Infrastructure.Persistence.StatusPages;

sealed class ComponentConfiguration : IEntityTypeConfiguration<Component>
{
    public void Configure(EntityTypeBuilder<Component> builder)
    {
        builder.Property(c => c.Name).HasMaxLength(Text.NameLength);
        builder.Property(c => c.Slug).HasMaxLength(60);
        builder.Property(c => c.Description).HasMaxLength(Text.DescriptionLength);
        builder.Property(c => c.Version).IsRowVersion();
        builder.HasIndex(c => c.Slug).IsUnique();
        builder.HasOne<ComponentGroup>().WithMany().HasForeignKey(c => c.GroupId).OnDelete(DeleteBehavior.SetNull);
        builder.HasMany(c => c.Overrides).WithOne().HasForeignKey(o => o.ComponentId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(c => c.Overrides).UsePropertyAccessMode(PropertyAccessMode.Field);
    }
}

sealed class StatusOverrideConfiguration : IEntityTypeConfiguration<StatusOverride>
{
    public void Configure(EntityTypeBuilder<StatusOverride> builder)
    {
        builder.Property(o => o.By).HasMaxLength(Text.NameLength);
        builder.HasIndex(o => o.ComponentId).IsUnique().HasFilter("ended_at is null").HasDatabaseName("ix_status_overrides_open");
        builder.HasIndex(o => new { o.ComponentId, o.From });
        builder.HasIndex(o => o.To);
    }
}

sealed class ComponentGroupConfiguration : IEntityTypeConfiguration<ComponentGroup>
{
    public void Configure(EntityTypeBuilder<ComponentGroup> builder)
    {
        builder.Property(g => g.Name).HasMaxLength(Text.NameLength);
        builder.Property(g => g.Version).IsRowVersion();
    }
}

sealed class PageVersionConfiguration : IEntityTypeConfiguration<PageVersion>
{
    public void Configure(EntityTypeBuilder<PageVersion> builder)
    {
        builder.HasData(new { Id = 1, Version = 1L, ChangedAt = DateTimeOffset.UnixEpoch });
    }
}
