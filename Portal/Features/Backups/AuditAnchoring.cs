using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Notifications;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Audit;

namespace Portal.Features.Backups;

/// <summary>Keeps the head of the audit log in the configured store every hour, where whoever can write the database cannot change it.</summary>
public sealed class AuditAnchoring(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, AuditChain chain, TimeProvider clock)
{
    static readonly TimeSpan Every = TimeSpan.FromHours(1);
    long? last;

    /// <exception cref="BackupFailedException">The store does not take it.</exception>
    public async Task Keep(CancellationToken ct)
    {
        if (last is { } at && clock.GetElapsedTime(at) < Every) return;
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.BackupStores.AsNoTracking().SingleOrDefaultAsync(s => s.IsConfigured, ct) is not { } settings) return;
        using var store = opening.Open(settings);
        try
        {
            await new AuditAnchors(store.Place).Keep(chain, clock.GetUtcNow(), ct);
            last = clock.GetTimestamp();
        }
        catch (BackupFailedException e) when (e.Kind == BackupFailure.Damaged)
        {
            last = clock.GetTimestamp();
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, "The audit log is not what it was", e.Message, "audit-chain", $"audit-chain:{clock.GetUtcNow():yyyy-MM-dd}"), clock.GetUtcNow(), ct);
            await db.SaveChangesAsync(ct);
        }
    }
}
