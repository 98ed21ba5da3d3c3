using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Access;
using Portal.Domain.Alerting;
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

sealed class ChannelConfiguration : IEntityTypeConfiguration<Channel>
{
    public void Configure(EntityTypeBuilder<Channel> builder)
    {
        builder.ToTable("channels");
        builder.Property(c => c.Name).HasMaxLength(Text.NameLength);
        builder.Property(c => c.Options).AsJson();
        builder.Property(c => c.Version).IsRowVersion();
        builder.HasIndex(c => c.Name).IsUnique();
    }
}

sealed class ContactConfiguration : IEntityTypeConfiguration<Contact>
{
    public void Configure(EntityTypeBuilder<Contact> builder)
    {
        builder.ToTable("contacts");
        builder.Ignore(c => c.IsVerified);
        builder.Property(c => c.Address).HasMaxLength(Contact.AddressLength);
        builder.Property(c => c.Version).IsRowVersion();
        builder.HasOne<Person>().WithMany().HasForeignKey(c => c.PersonId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Channel>().WithMany().HasForeignKey(c => c.ChannelId).OnDelete(DeleteBehavior.Restrict);
        builder.HasIndex(c => c.PersonId);
    }
}

sealed class ContactGroupConfiguration : IEntityTypeConfiguration<ContactGroup>
{
    public void Configure(EntityTypeBuilder<ContactGroup> builder)
    {
        builder.ToTable("contact_groups");
        builder.Property(g => g.Name).HasMaxLength(Text.NameLength);
        builder.Property(g => g.Members).AsJson();
        builder.Property(g => g.Version).IsRowVersion();
        builder.HasIndex(g => g.Name).IsUnique();
    }
}

sealed class DeliveryConfiguration : IEntityTypeConfiguration<Delivery>
{
    public void Configure(EntityTypeBuilder<Delivery> builder)
    {
        builder.ToTable("deliveries");
        builder.Property(d => d.Address).HasMaxLength(Contact.AddressLength);
        builder.Property(d => d.Key).HasMaxLength(Delivery.KeyLength);
        builder.Property(d => d.Title).HasMaxLength(Delivery.TitleLength);
        builder.Property(d => d.Body).HasMaxLength(Delivery.BodyLength);
        builder.Property(d => d.ClaimedBy).HasMaxLength(100);
        builder.Property(d => d.LastError).HasMaxLength(Delivery.ErrorLength);
        builder.Property(d => d.ProviderId).HasMaxLength(200);
        builder.HasOne<Alert>().WithMany().HasForeignKey(d => d.AlertId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(d => d.Key).IsUnique();
        builder.HasIndex(d => d.DueAt).HasFilter("state = 'Waiting'").HasDatabaseName("ix_deliveries_due");
        builder.HasIndex(d => new { d.AlertId, d.CreatedAt });
        builder.HasIndex(d => new { d.ContactId, d.SentAt }).HasFilter("contact_id is not null");
        builder.HasIndex(d => new { d.Address, d.SentAt });
        builder.HasIndex(d => d.InsteadOf).HasFilter("instead_of is not null");
        builder.HasIndex(d => new { d.ChannelId, d.SentAt }).HasFilter("channel_id is not null");
        builder.HasIndex(d => d.ProviderId).HasFilter("provider_id is not null");
        builder.HasIndex(d => d.EndedAt);
    }
}

sealed class DeliveryEventConfiguration : IEntityTypeConfiguration<DeliveryEvent>
{
    public void Configure(EntityTypeBuilder<DeliveryEvent> builder)
    {
        builder.ToTable("delivery_events");
        builder.Property(e => e.Detail).HasMaxLength(Delivery.ErrorLength);
        builder.HasOne<Delivery>().WithMany().HasForeignKey(e => e.DeliveryId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(e => new { e.DeliveryId, e.At });
    }
}
