using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Infrastructure.Persistence.Incidents;

sealed class IncidentConfiguration : IEntityTypeConfiguration<Incident>
{
    public void Configure(EntityTypeBuilder<Incident> builder)
    {
        builder.Ignore(i => i.Current).Ignore(i => i.IsResolved);
        builder.Property(i => i.Title).HasMaxLength(Text.TitleLength);
        builder.Property(i => i.Version).IsRowVersion();
        builder.HasMany(i => i.Updates).WithOne().HasForeignKey(u => u.IncidentId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(i => i.Updates).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.HasMany(i => i.Effects).WithOne().HasForeignKey(e => e.IncidentId).OnDelete(DeleteBehavior.Cascade);
        builder.Navigation(i => i.Effects).UsePropertyAccessMode(PropertyAccessMode.Field);
        builder.HasIndex(i => new { i.StartedAt, i.Id });
        builder.HasIndex(i => i.ResolvedAt);
        builder.HasIndex(i => i.CreatedAt).HasFilter("resolved_at is null").HasDatabaseName("ix_incidents_unresolved");
    }
}

sealed class IncidentUpdateConfiguration : IEntityTypeConfiguration<IncidentUpdate>
{
    public void Configure(EntityTypeBuilder<IncidentUpdate> builder)
    {
        builder.Property(u => u.Body).HasMaxLength(Text.MessageLength);
        builder.Property(u => u.Author).HasMaxLength(Text.NameLength);
        builder.Property(u => u.Affected).AsJson();
        // A token as well: two edits of one text cannot both pass.
        builder.Property(u => u.Revisions).AsJson().IsConcurrencyToken();
        builder.HasIndex(u => new { u.IncidentId, u.CreatedAt });
    }
}

sealed class IncidentEffectConfiguration : IEntityTypeConfiguration<IncidentEffect>
{
    public void Configure(EntityTypeBuilder<IncidentEffect> builder)
    {
        builder.HasOne<Component>().WithMany().HasForeignKey(e => e.ComponentId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(e => new { e.IncidentId, e.ComponentId }).IsUnique().HasFilter("ended_at is null").HasDatabaseName("ix_incident_effects_open");
        builder.HasIndex(e => e.IncidentId);
        builder.HasIndex(e => new { e.ComponentId, e.From });
        builder.HasIndex(e => e.To);
    }
}
