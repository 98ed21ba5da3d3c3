using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>What can be backed up, and where to.</summary>
public sealed class BackupPlaces(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Backups">How many lie there, and how large they are together.</param>
    public sealed record StoreRow(BackupStore Store, int Backups, long Bytes);

    public sealed record View(IReadOnlyList<BackupTarget> Targets, IReadOnlyList<StoreRow> Stores);

    /// <summary>The oldest first; what was removed or retired is left out, unless a store still holds backups.</summary>
    public async Task<View> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var targets = await db.BackupTargets.AsNoTracking().Where(t => t.RemovedAt == null).OrderBy(t => t.CreatedAt).ThenBy(t => t.Id).ToListAsync(ct);
        var sums = await db.Backups.Where(b => b.State == BackupState.Kept).GroupBy(b => b.StoreId).Select(g => new { g.Key, Count = g.Count(), Bytes = g.Sum(b => b.StoredBytes) }).ToDictionaryAsync(g => g.Key, ct);
        var stores = await db.BackupStores.AsNoTracking().OrderBy(s => s.CreatedAt).ThenBy(s => s.Id).ToListAsync(ct);
        return new(targets, [.. stores.Where(s => s.RetiredAt is null || sums.ContainsKey(s.Id)).Select(s => new StoreRow(s, sums.GetValueOrDefault(s.Id)?.Count ?? 0, sums.GetValueOrDefault(s.Id)?.Bytes ?? 0))]);
    }
}
