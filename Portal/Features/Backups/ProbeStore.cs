using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Tries whether a store can be written, read back and deleted, and how much room it has; by hand, and by the portal itself every day.</summary>
public sealed class ProbeStore(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TimeProvider clock)
{
    /// <summary>So long a store is asked; one that hangs does not work.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task<StoreProbe> Execute(BackupStoreId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageBackups);
        var store = await Find(id, ct);
        var (probe, space) = await Tried(store, ct);
        await Contention.Settle(async () =>
        {
            await using var db = await contexts.CreateDbContextAsync(ct);
            var stands = await db.BackupStores.SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("store");
            stands.Probed(clock.GetUtcNow(), probe.IsGood ? null : Words(probe), space?.Free, space?.Total);
            await db.Commit(new AuditEntry(actor, "backup_store.tried", id.ToString(), $"{stands.Name}: {(probe.IsGood ? "it works" : "it does not work")}", clock.GetUtcNow()), ct);
            return id;
        });
        return probe;
    }

    static string Words(StoreProbe probe) => string.Join(" ", new[] { probe.Write, probe.ReadBack, probe.Delete }.Where(s => !s.IsGood).Select(s => s.Words).Distinct());

    async Task<BackupStore> Find(BackupStoreId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.BackupStores.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, ct) ?? throw new NotFoundException("store");
    }

    async Task<(StoreProbe, StoreSpace?)> Tried(BackupStore store, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(Patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        try
        {
            using var open = opening.Open(store);
            var probe = await StoreProbe.Of(open.Place, either.Token);
            return (probe, probe.Write.IsGood ? await open.Place.Space(either.Token) : null);
        }
        catch (BackupFailedException e)
        {
            return (Bad(e.Message), null);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return (Bad($"It did not answer within {Patience.TotalSeconds:0} s."), null);
        }
    }

    static StoreProbe Bad(string words) => new(new(false, words), new(false, words), new(false, words));
}
