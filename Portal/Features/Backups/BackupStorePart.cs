using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Features.Health;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Every store that is written to worked when it was tried last, and has room.</summary>
sealed class BackupStorePart(IDbContextFactory<PortalDbContext> contexts) : IHealthPart
{
    /// <summary>A disk with less of itself left is nearly full.</summary>
    const double LeastFree = 0.05;

    public string Name => "backup-store";

    public static bool IsNearlyFull(BackupStore store) => store is { FreeBytes: { } free, TotalBytes: > 0 and var total } && free < total * LeastFree;

    public async Task<PartReport> Look(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var stores = await db.BackupStores.AsNoTracking().Where(s => s.RetiredAt == null).ToListAsync(ct);
        if (stores.Find(s => s.Problem is not null) is { } broken) return PartReport.Failing($"The backup store {broken.Name} did not work when it was tried last.");
        if (stores.Find(IsNearlyFull) is { } full) return PartReport.Failing($"The backup store {full.Name} is nearly full.");
        return stores.TrueForAll(s => s.ProbedAt is null) ? PartReport.NotConfigured("No backup store was tried yet: that happens within a minute of the start.") : PartReport.Ok(("stores", stores.Count));
    }
}
