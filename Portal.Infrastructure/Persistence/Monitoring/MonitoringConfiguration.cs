using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;

namespace Portal.Infrastructure.Persistence.Monitoring;

sealed class MonitorConfiguration : IEntityTypeConfiguration<Domain.Monitoring.Monitor>
{
    public void Configure(EntityTypeBuilder<Domain.Monitoring.Monitor> builder)
    {
        builder.Property(m => m.Name).HasMaxLength(Text.NameLength);
        builder.Property(m => m.Target).HasMaxLength(2_100);
        builder.Property(m => m.ExpectStatus).HasMaxLength(200);
        builder.Property(m => m.PublicChart).HasMaxLength(Text.NameLength);
        // An older node that writes a monitor does not know these two.
        builder.Property(m => m.Options).AsJson().HasDefaultValueSql("'{}'");
        builder.Property(m => m.SecretNames).AsJson().HasDefaultValueSql("'[]'");
        builder.PrimitiveCollection(m => m.Tags).HasDefaultValueSql("'{}'");
        builder.HasIndex(m => m.Tags).HasMethod("gin");
        builder.Property(m => m.DampFlapping).HasDefaultValue(true).HasSentinel(true);
        builder.Property(m => m.DependsOn).HasConversion(
            list => list.Select(d => d.Value).ToArray(), stored => stored.Select(MonitorId.From).ToList(),
            new ValueComparer<IReadOnlyList<MonitorId>>((a, b) => a!.SequenceEqual(b!), list => list.Count, list => list)).HasColumnType("uuid[]").HasDefaultValueSql("'{}'");
        builder.Property(m => m.Places).HasConversion(
            list => list.Select(d => d.Value).ToArray(), stored => stored.Select(ProbePlaceId.From).ToList(),
            new ValueComparer<IReadOnlyList<ProbePlaceId>>((a, b) => a!.SequenceEqual(b!), list => list.Count, list => list)).HasColumnType("uuid[]").HasDefaultValueSql("'{}'");
        builder.HasIndex(m => m.Places).HasMethod("gin");
        builder.Property(m => m.FromHere).HasDefaultValue(true).HasSentinel(true);
        builder.Property(m => m.PlacesBeforeDown).HasDefaultValue(1).HasSentinel(1);
        builder.HasIndex(m => m.DependsOn).HasMethod("gin");
        builder.Property(m => m.Version).IsRowVersion();
        builder.Ignore(m => m.Look).Ignore(m => m.FlapWindow).Ignore(m => m.FlapQuiet);
        builder.Ignore(m => m.Settings).Ignore(m => m.DetectsWithin).Ignore(m => m.IsBuiltInTarget);
        builder.HasOne<Component>().WithMany().HasForeignKey(m => m.ComponentId).OnDelete(DeleteBehavior.SetNull);
        builder.HasIndex(m => m.Shard);
    }
}

sealed class MonitorStateConfiguration : IEntityTypeConfiguration<MonitorState>
{
    public void Configure(EntityTypeBuilder<MonitorState> builder)
    {
        builder.HasKey(s => s.MonitorId);
        builder.Property(s => s.Recent).AsJson();
        builder.Property(s => s.Places).AsJson().HasDefaultValueSql("'[]'");
        builder.Property(s => s.Downs).AsJson().HasDefaultValueSql("'[]'");
        builder.HasOne<Domain.Monitoring.Monitor>().WithOne().HasForeignKey<MonitorState>(s => s.MonitorId).OnDelete(DeleteBehavior.Cascade);
    }
}

sealed class ProbePlaceConfiguration : IEntityTypeConfiguration<ProbePlace>
{
    public void Configure(EntityTypeBuilder<ProbePlace> builder)
    {
        builder.Property(p => p.Name).HasMaxLength(Text.NameLength);
        builder.Property(p => p.ProgramVersion).HasMaxLength(100);
        builder.HasIndex(p => p.Name).IsUnique();
    }
}

sealed class HeardCheckConfiguration : IEntityTypeConfiguration<HeardCheck>
{
    public void Configure(EntityTypeBuilder<HeardCheck> builder)
    {
        builder.ToTable("heard_checks");
        builder.Property(c => c.Outcome).HasConversion<short>();
        builder.Property(c => c.PlaceName).HasMaxLength(Text.NameLength);
        builder.Property(c => c.Detail).HasMaxLength(500);
        builder.Property(c => c.Look).HasMaxLength(64);
        builder.HasIndex(c => c.Shard);
    }
}

sealed class HeartbeatConfiguration : IEntityTypeConfiguration<Heartbeat>
{
    public void Configure(EntityTypeBuilder<Heartbeat> builder)
    {
        builder.HasKey(h => h.MonitorId);
        builder.Property(h => h.FailDetail).HasMaxLength(300);
        builder.HasIndex(h => h.KeyHash).IsUnique();
        builder.HasOne<Domain.Monitoring.Monitor>().WithOne().HasForeignKey<Heartbeat>(h => h.MonitorId).OnDelete(DeleteBehavior.Cascade);
    }
}

sealed class MonitorImportConfiguration : IEntityTypeConfiguration<MonitorImport>
{
    public void Configure(EntityTypeBuilder<MonitorImport> builder)
    {
        builder.Property(i => i.By).HasMaxLength(Text.NameLength);
        builder.Property(i => i.FileName).HasMaxLength(MonitorImport.FileNameLength);
        builder.Property(i => i.Format).HasConversion<string>().HasMaxLength(30);
        builder.Property(i => i.UndoneBy).HasMaxLength(Text.NameLength);
        builder.HasIndex(i => i.Fingerprint);
    }
}

sealed class ImportedMonitorConfiguration : IEntityTypeConfiguration<ImportedMonitor>
{
    public void Configure(EntityTypeBuilder<ImportedMonitor> builder)
    {
        builder.HasKey(i => new { i.ImportId, i.MonitorId });
        builder.Property(i => i.Name).HasMaxLength(Text.NameLength);
        builder.Property(i => i.Before!).AsJson().IsRequired(false);
        builder.Property(i => i.SecretNames).AsJson();
        builder.HasOne<MonitorImport>().WithMany().HasForeignKey(i => i.ImportId).OnDelete(DeleteBehavior.Cascade);
    }
}

sealed class StoredCheckConfiguration : IEntityTypeConfiguration<StoredCheck>
{
    public void Configure(EntityTypeBuilder<StoredCheck> builder)
    {
        builder.ToTable("check_results");
        // A monitor's checks are at least some seconds apart: the pair is the identity, and a second writer of one check fails on it.
        builder.HasKey(c => new { c.MonitorId, c.At });
        builder.Property(c => c.Outcome).HasConversion<short>();
        builder.HasIndex(c => c.At).HasMethod("brin");
    }
}

sealed class OutageConfiguration : IEntityTypeConfiguration<Outage>
{
    public void Configure(EntityTypeBuilder<Outage> builder)
    {
        builder.Property(o => o.MonitorName).HasMaxLength(Text.NameLength);
        builder.Property(o => o.Evidence).AsJson();
        builder.HasIndex(o => o.MonitorId).IsUnique().HasFilter("ended_at is null").HasDatabaseName("ix_outages_open");
        builder.HasIndex(o => new { o.MonitorId, o.From });
        builder.HasIndex(o => new { o.ComponentId, o.From });
        builder.HasIndex(o => o.To);
        builder.HasIndex(o => o.CausedBy).HasFilter("caused_by is not null");
    }
}

sealed class ObservationGapConfiguration : IEntityTypeConfiguration<ObservationGap>
{
    public void Configure(EntityTypeBuilder<ObservationGap> builder)
    {
        builder.Property(g => g.Reason).HasMaxLength(200);
        builder.HasIndex(g => g.MonitorId).IsUnique().HasFilter("ended_at is null").HasDatabaseName("ix_observation_gaps_open");
        builder.HasIndex(g => new { g.MonitorId, g.From });
        builder.HasIndex(g => new { g.ComponentId, g.From });
        builder.HasIndex(g => g.To);
    }
}

sealed class ShardLeaseConfiguration : IEntityTypeConfiguration<ShardLease>
{
    public void Configure(EntityTypeBuilder<ShardLease> builder)
    {
        builder.HasKey(l => l.Shard);
        builder.Property(l => l.Node).HasMaxLength(100);
        builder.HasData(Enumerable.Range(0, MonitorId.ShardCount).Select(shard => new { Shard = shard, Node = "", Epoch = 0L, ExpiresAt = DateTimeOffset.UnixEpoch }));
    }
}

sealed class LiveNodeConfiguration : IEntityTypeConfiguration<LiveNode>
{
    public void Configure(EntityTypeBuilder<LiveNode> builder)
    {
        builder.HasKey(n => n.Name);
        builder.Property(n => n.Name).HasMaxLength(100);
    }
}
