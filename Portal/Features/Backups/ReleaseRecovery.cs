using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>After a restore: sends what was held, or discards it because the original has sent it already.</summary>
public sealed class ReleaseRecovery(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="send">False discards what is held.</param>
    public async Task Execute(bool send, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.RestoreBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var setting = await db.Settings.FromSql($"select * from settings where key = {RecoveryEpoch.Setting} for update").SingleOrDefaultAsync(ct) ?? throw new NotFoundException("restore");
        var recovery = JsonSerializer.Deserialize<Recovery>(setting.Value, JsonSerializerOptions.Web)!;
        if (recovery.ReleasedAt is not null) throw new DomainException("Somebody decided this already.");
        setting.Value = JsonSerializer.Serialize(recovery with { ReleasedAt = now }, JsonSerializerOptions.Web);
        // What is open and nobody is told of any more is complained about until somebody acknowledges it.
        await db.Database.ExecuteSqlAsync(send ? (FormattableString)$"update escalations set next_at = {now} where next_at = 'infinity'" : $"update escalations set next_at = null, state = 'Exhausted' where next_at = 'infinity'", ct);
        if (send)
        {
            // Their age counts from now on: what waited for a person was not given up.
            await db.Database.ExecuteSqlAsync($"update mails set due_at = clock_timestamp(), created_at = clock_timestamp() where state = 'Waiting' and due_at = 'infinity'", ct);
            await db.Database.ExecuteSqlAsync($"update deliveries set due_at = clock_timestamp() where state = 'Waiting' and due_at = 'infinity'", ct);
            await db.Database.ExecuteSqlAsync($"update outbox set due_at = clock_timestamp() where done_at is null and due_at = 'infinity'", ct);
        }
        else
        {
            await db.Database.ExecuteSqlAsync($"update mails set state = 'Failed', ended_at = clock_timestamp(), last_error = 'Discarded after a restore.' where state = 'Waiting' and due_at = 'infinity'", ct);
            await db.Database.ExecuteSqlAsync($"update deliveries set state = 'Dropped', ended_at = clock_timestamp(), last_error = 'Discarded after a restore.' where state = 'Waiting' and due_at = 'infinity'", ct);
            await db.Database.ExecuteSqlAsync($"update outbox set done_at = clock_timestamp(), last_error = 'Discarded after a restore.' where done_at is null and due_at = 'infinity'", ct);
        }
        await db.Commit(new AuditEntry(actor, send ? "portal.released" : "portal.discarded", "", $"{recovery.Held} held since the restore", now), ct);
        await transaction.CommitAsync(ct);
    }
}
