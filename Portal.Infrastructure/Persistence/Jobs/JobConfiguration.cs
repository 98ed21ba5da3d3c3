using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;

namespace Portal.Infrastructure.Persistence.Jobs;

sealed class JobRunConfiguration : IEntityTypeConfiguration<JobRun>
{
    /// <summary>Of runs that must work alone one is running at any moment, whatever the nodes think.</summary>
    public const string AloneIndex = "ix_job_runs_alone";

    /// <summary>A slot is expected once, however many nodes settle it.</summary>
    public const string SlotIndex = "ix_job_runs_slot";

    public void Configure(EntityTypeBuilder<JobRun> builder)
    {
        builder.ToTable("job_runs");
        builder.Ignore(r => r.IsOver);
        builder.Property(r => r.Kind).HasMaxLength(JobRun.KindLength);
        builder.Property(r => r.Subject).HasMaxLength(JobRun.SubjectLength);
        builder.Property(r => r.Arguments).HasColumnType("jsonb");
        builder.Property(r => r.Result).HasColumnType("jsonb");
        builder.Property(r => r.RequestedBy).HasMaxLength(Text.NameLength);
        builder.Property(r => r.Alone).HasMaxLength(200);
        builder.Property(r => r.Node).HasMaxLength(100);
        builder.Property(r => r.Phase).HasMaxLength(60);
        builder.Property(r => r.Doing).HasMaxLength(300);
        builder.Property(r => r.CancelAskedBy).HasMaxLength(Text.NameLength);
        builder.Property(r => r.Error).HasMaxLength(JobRun.ErrorLength);
        builder.Property(r => r.Version).IsRowVersion();
        builder.HasOne<JobSchedule>().WithMany().HasForeignKey(r => r.ScheduleId).OnDelete(DeleteBehavior.SetNull);
        builder.HasIndex(r => new { r.ScheduleId, r.Slot }).IsUnique().HasDatabaseName(SlotIndex);
        builder.HasIndex(r => r.Alone).IsUnique().HasFilter("state = 'Running' and alone is not null").HasDatabaseName(AloneIndex);
        builder.HasIndex(r => r.DueAt).HasFilter("state in ('Queued', 'Running')").HasDatabaseName("ix_job_runs_open");
        builder.HasIndex(r => new { r.QueuedAt, r.Id });
        builder.HasIndex(r => new { r.Kind, r.QueuedAt, r.Id });
        builder.HasIndex(r => new { r.State, r.QueuedAt, r.Id });
        // What ended since somebody looked last.
        builder.HasIndex(r => r.EndedAt);
    }
}

sealed class JobLogLineConfiguration : IEntityTypeConfiguration<JobLogLine>
{
    public void Configure(EntityTypeBuilder<JobLogLine> builder)
    {
        builder.ToTable("job_log");
        builder.Property(l => l.Text).HasMaxLength(JobLogLine.TextLength);
        builder.HasOne<JobRun>().WithMany().HasForeignKey(l => l.RunId).OnDelete(DeleteBehavior.Cascade);
        builder.HasIndex(l => new { l.RunId, l.Id });
    }
}

sealed class JobScheduleConfiguration : IEntityTypeConfiguration<JobSchedule>
{
    public void Configure(EntityTypeBuilder<JobSchedule> builder)
    {
        builder.ToTable("job_schedules");
        builder.Property(s => s.Kind).HasMaxLength(JobRun.KindLength);
        builder.Property(s => s.Subject).HasMaxLength(JobRun.SubjectLength);
        builder.Property(s => s.Arguments).HasColumnType("jsonb");
        builder.Property(s => s.Cron).HasMaxLength(JobSchedule.CronLength);
        builder.Property(s => s.Zone).HasMaxLength(64);
        builder.Property(s => s.Version).IsRowVersion();
    }
}
