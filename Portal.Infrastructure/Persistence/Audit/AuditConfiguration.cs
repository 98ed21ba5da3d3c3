using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Audit;

namespace Portal.Infrastructure.Persistence.Audit;

sealed class AuditEntryConfiguration : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> builder)
    {
        builder.HasKey(e => e.Sequence);
        builder.Property(e => e.Sequence).UseIdentityAlwaysColumn();
        builder.HasIndex(e => e.Subject);
        builder.Property(e => e.Summary).HasMaxLength(500);
        builder.HasIndex(e => e.Position).IsUnique().HasDatabaseName("ix_audit_position");
        builder.HasIndex(e => e.Sequence).HasFilter("position is null").HasDatabaseName("ix_audit_unsealed");
    }
}
