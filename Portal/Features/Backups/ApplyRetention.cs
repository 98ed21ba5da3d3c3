using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Drills;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Deletes what the retention of a plan lets go in a store. One that cannot be deleted is tried again later and stops none of the others.</summary>
public sealed class ApplyRetention(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TimeProvider clock)
{
    /// <summary>So long the row of one that is gone is remembered, as the runs of jobs are.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromDays(400);
    const int MostForgotten = 500;

    /// <returns>How many are gone.</returns>
    public async Task<int> Run(BackupPlan plan, BackupStore store, Action<string> say, CancellationToken ct)
    {
        var deleted = 0;
        // As it stands now: a long backup may have begun under another rule.
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.BackupPlans.AsNoTracking().SingleOrDefaultAsync(p => p.Id == plan.Id, ct) is not { } stands) return 0;
        foreach (var verdict in await Verdicts(stands, store.Id, ct))
            if (!verdict.IsKept && await Delete(verdict.Backup.Id, ct)) deleted++;
        if (deleted > 0)
        {
            say($"{store.Name}: {deleted} deleted by the retention");
            await RemoveDeleted(store, say, ct);
        }
        return deleted;
    }

    /// <summary>What becomes of each backup of the plan in the store, the newest first.</summary>
    public async Task<IReadOnlyList<RetentionVerdict>> Verdicts(BackupPlan plan, BackupStoreId store, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var zone = await db.JobSchedules.Where(s => s.Id == plan.ScheduleId).Select(s => s.Zone).SingleOrDefaultAsync(ct) ?? "UTC";
        return plan.Retention.Judge(await Kept(db, plan.Id, store, ct), TimeZoneInfo.FindSystemTimeZoneById(zone));
    }

    public static async Task<IReadOnlyList<RetainedBackup>> Kept(PortalDbContext db, BackupPlanId plan, BackupStoreId store, CancellationToken ct)
    {
        var rows = await db.Backups.AsNoTracking().Where(b => b.PlanId == plan && b.StoreId == store && b.State == BackupState.Kept)
            .Select(b => new { b.Id, b.At, b.ChecksumAt, b.ArchiveAt, b.RestoredAt, b.DataAt, b.Damage, b.IsPinned, IsHeld = db.Restores.Any(r => r.BackupId == b.Id && db.JobRuns.Any(j => j.Id == r.Id && j.EndedAt == null)) || db.Drills.Any(d => d.BackupId == b.Id && d.Outcome == DrillOutcome.Running) }).ToListAsync(ct);
        return [.. rows.Select(r => new RetainedBackup(r.Id, r.At,
            r.DataAt is not null ? VerificationLevel.Data : r.RestoredAt is not null ? VerificationLevel.Restored : r.ArchiveAt is not null ? VerificationLevel.Archive : r.ChecksumAt is not null ? VerificationLevel.Checksum : VerificationLevel.Stored,
            r.IsPinned || r.IsHeld, r.Damage is not null))];
    }

    /// <summary>Takes from the store what was deleted here.</summary>
    public async Task RemoveDeleted(BackupStore store, Action<string> say, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var gone = await db.Backups.Where(b => b.StoreId == store.Id && b.State == BackupState.Deleted && !b.IsGone).Select(b => new { b.Id, b.Kind }).ToListAsync(ct);
        if (gone.Count == 0) return;
        using var open = opening.Open(store);
        foreach (var backup in gone)
            try
            {
                await ArtifactWriter.Delete(open.Place, backup.Id, backup.Kind, ct);
                // The upkeep of every node does this too; its manifest is of no use any more.
                await db.Backups.Where(b => b.Id == backup.Id).ExecuteUpdateAsync(b => b.SetProperty(x => x.IsGone, true).SetProperty(x => x.Manifest, (string?)null), ct);
            }
            catch (BackupFailedException e)
            {
                say($"{store.Name}: backup {backup.Id} could not be deleted and is tried again: {e.Message}");
            }
    }

    /// <summary>Removes the rows of what was deleted long ago and is gone from its store. The record of a restore needs its backup.</summary>
    /// <returns>How many rows; there may be more.</returns>
    public async Task<int> Forget(CancellationToken ct)
    {
        var before = clock.GetUtcNow() - Remembered;
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Backups.Where(b => b.State == BackupState.Deleted && b.IsGone && b.DeletedAt < before && !db.Restores.Any(r => r.BackupId == b.Id)).OrderBy(b => b.DeletedAt).Take(MostForgotten).ExecuteDeleteAsync(ct);
    }

    /// <summary>A restore or a drill that is not over reads it, or will.</summary>
    public static async Task<bool> IsHeld(PortalDbContext db, BackupId id, CancellationToken ct) =>
        await db.Restores.AnyAsync(r => r.BackupId == id && db.JobRuns.Any(j => j.Id == r.Id && j.EndedAt == null), ct) || await db.Drills.AnyAsync(d => d.BackupId == id && d.Outcome == DrillOutcome.Running, ct);

    async Task<bool> Delete(BackupId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Backups.SingleOrDefaultAsync(b => b.Id == id && b.State == BackupState.Kept, ct) is not { } backup) return false;
        // Held or kept on purpose since it was judged; what comes after this look changes the row, and the save fails.
        if (backup.IsPinned || await IsHeld(db, id, ct)) return false;
        backup.Delete("by the retention of its plan", clock.GetUtcNow());
        try
        {
            await db.SaveChangesAsync(ct);
            return true;
        }
        catch (DbUpdateConcurrencyException)
        {
            // A restore began to hold it at this very moment: the next run decides again.
            return false;
        }
    }
}
