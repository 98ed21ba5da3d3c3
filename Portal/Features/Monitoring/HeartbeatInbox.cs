using Microsoft.EntityFrameworkCore;
using Portal.Domain.Monitoring;
using Portal.Features.Access;
using Portal.Infrastructure.Monitoring;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring;

/// <summary>What became of a signal.</summary>
public enum HeartbeatReceipt { Heard, Ignored, Unknown }

/// <summary>Takes the signals of jobs in. Nobody acts here: whoever holds the key is the job, and a ping is no audited change.</summary>
public sealed class HeartbeatInbox(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task<HeartbeatReceipt> Take(string key, HeartbeatSignal signal, string? detail, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var hash = Secret.HashOf(key);
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Two signals of one job at once are heard one after the other.
        if ((await db.Heartbeats.FromSql($"select * from heartbeats where key_hash = {hash} for update").ToListAsync(ct)).SingleOrDefault() is not { } heartbeat) return HeartbeatReceipt.Unknown;
        var monitor = await db.Monitors.AsNoTracking().SingleAsync(m => m.Id == heartbeat.MonitorId, ct);
        if (monitor.PausedAt is not null) return HeartbeatReceipt.Ignored;
        var before = heartbeat.Judge(monitor.Options, now).Outcome;
        heartbeat.Hear(signal, detail, now);
        await db.SaveChangesAsync(ct);
        // What changes the verdict is seen at once, the rest at its turn.
        if (signal == HeartbeatSignal.Fail || heartbeat.Judge(monitor.Options, now).Outcome != before) await db.AskForCheck(monitor.Id, ct);
        await transaction.CommitAsync(ct);
        return HeartbeatReceipt.Heard;
    }
}
