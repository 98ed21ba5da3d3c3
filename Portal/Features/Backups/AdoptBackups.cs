using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Takes into the catalogue what lies in a store and is not in it: after the loss of the portal's database, or from another portal.</summary>
public sealed class AdoptBackups(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TimeProvider clock)
{
    /// <param name="Problems">What lies there and cannot be used, with the reason.</param>
    public sealed record Found(int Adopted, int Known, IReadOnlyList<string> Problems);

    public async Task<Found> Execute(BackupStoreId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var store = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("store");
        var known = (await db.Backups.Select(b => b.Id).ToListAsync(ct)).ToHashSet();
        // Of several of one name the one that is in use, else the newest.
        var targets = (await db.BackupTargets.ToListAsync(ct)).OrderBy(t => t.RemovedAt is null).ThenBy(t => t.CreatedAt).GroupBy(t => t.Name).ToDictionary(g => g.Key, g => g.Last());
        using var open = opening.Open(store);
        var (adopted, problems) = (0, new List<string>());
        try
        {
            await foreach (var found in open.Reader.All(key => key == open.Key.Id ? open.Key : null, ct))
            {
                if (known.Contains(found.Id)) continue;
                if (found.Manifest is not { } manifest)
                {
                    problems.Add($"{found.Id}: {found.Problem}");
                    continue;
                }
                if (!targets.TryGetValue(manifest.Target, out var target))
                {
                    target = BackupTarget.Found(manifest, now);
                    db.BackupTargets.Add(target);
                    targets.Add(manifest.Target, target);
                }
                db.Backups.Add(Backup.Found(manifest, target, id));
                adopted++;
            }
        }
        catch (BackupFailedException e)
        {
            throw new DomainException(e.Message);
        }
        try
        {
            if (adopted > 0) await db.Commit(new AuditEntry(actor, "backup_store.adopted", id.ToString(), $"{store.Name}: {adopted} backups", now), ct);
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            throw new ConflictException("Somebody else takes the backups of this store into the catalogue at this moment: look again.");
        }
        return new(adopted, known.Count, problems);
    }
}
