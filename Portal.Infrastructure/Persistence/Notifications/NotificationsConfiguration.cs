using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.Notifications;

sealed class NoticeConfiguration : IEntityTypeConfiguration<Notice>
{
    public void Configure(EntityTypeBuilder<Notice> builder)
    {
        builder.ToTable("notices");
        builder.Property(n => n.Title).HasMaxLength(Text.TitleLength);
        builder.Property(n => n.Text).HasMaxLength(Notice.TextLength);
        builder.Property(n => n.Topic).HasMaxLength(Notice.TopicLength);
        builder.Property(n => n.Key).HasMaxLength(Notice.KeyLength);
        builder.Property(n => n.Link).HasMaxLength(500);
        builder.Property(n => n.DismissedBy).HasMaxLength(Text.NameLength);
        builder.Property(n => n.Version).IsRowVersion();
        builder.HasIndex(n => n.Key).IsUnique();
        builder.HasIndex(n => n.At).HasFilter("resolved_at is null").HasDatabaseName("ix_notices_open");
        builder.HasIndex(n => n.ResolvedAt);
    }
}

sealed class QueuedMailConfiguration : IEntityTypeConfiguration<QueuedMail>
{
    public void Configure(EntityTypeBuilder<QueuedMail> builder)
    {
        builder.ToTable("mails");
        builder.Property(m => m.Recipient).HasMaxLength(254);
        builder.Property(m => m.Subject).HasMaxLength(Text.TitleLength);
        builder.Property(m => m.Body).HasMaxLength(QueuedMail.BodyLength);
        builder.Property(m => m.Link).HasMaxLength(500);
        builder.Property(m => m.Key).HasMaxLength(QueuedMail.KeyLength);
        builder.Property(m => m.ClaimedBy).HasMaxLength(100);
        builder.Property(m => m.LastError).HasMaxLength(QueuedMail.ErrorLength);
        builder.HasIndex(m => m.Key).IsUnique();
        builder.HasIndex(m => m.DueAt).HasFilter("state = 'Waiting'").HasDatabaseName("ix_mails_due");
        builder.HasIndex(m => m.EndedAt);
    }
}
