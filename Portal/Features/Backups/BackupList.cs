using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Backups, the one begun last first. Those being written and those deleted are told apart by their state.</summary>
public sealed class BackupList(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Kept">Only those that can be restored.</param>
    public sealed record Filter(BackupTargetId? Target = null, BackupStoreId? Store = null, BackupPlanId? Plan = null, bool Kept = true);

    public sealed record Row(Backup Backup, string Target, string Store)
    {
        public TimeSpan? Took => Backup.FinishedAt - Backup.StartedAt;
    }

    /// <param name="after">The last row of the part before.</param>
    /// <param name="take">How many rows at most.</param>
    public async Task<IReadOnlyList<Row>> Load(Filter filter, BackupId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var backups = db.Backups.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.Backups.Where(b => b.Id == last).Select(b => (DateTimeOffset?)b.StartedAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            backups = db.Backups.FromSql($"select b.*, b.xmin from backups b where (b.started_at, b.id) < ({at}, {last.Value})").AsNoTracking();
        }
        if (filter.Target is { } target) backups = backups.Where(b => b.TargetId == target);
        if (filter.Store is { } store) backups = backups.Where(b => b.StoreId == store);
        if (filter.Plan is { } plan) backups = backups.Where(b => b.PlanId == plan);
        if (filter.Kept) backups = backups.Where(b => b.State == BackupState.Kept);
        return await Named(db, backups.OrderByDescending(b => b.StartedAt).ThenByDescending(b => b.Id).Take(take), ct);
    }

    /// <exception cref="NotFoundException">There is no such backup.</exception>
    public async Task<Row> LoadOne(BackupId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return (await Named(db, db.Backups.AsNoTracking().Where(b => b.Id == id), ct)).SingleOrDefault() ?? throw new NotFoundException("backup");
    }

    /// <summary>The tables that it holds, from its manifest; none of a directory, and of one that is gone.</summary>
    public async Task<IReadOnlyList<TableContents>> LoadTables(BackupId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewBackups);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var manifest = await db.Backups.Where(b => b.Id == id).Select(b => b.Manifest).SingleOrDefaultAsync(ct);
        return manifest is null ? [] : BackupManifest.Read(System.Text.Encoding.UTF8.GetBytes(manifest)).Database?.Tables ?? [];
    }

    static async Task<IReadOnlyList<Row>> Named(PortalDbContext db, IQueryable<Backup> backups, CancellationToken ct)
    {
        var rows = await backups.Select(Backup.Listed).ToListAsync(ct);
        var (targets, stores) = (rows.Select(b => b.TargetId).Distinct().ToList(), rows.Select(b => b.StoreId).Distinct().ToList());
        var targetNames = await db.BackupTargets.Where(t => targets.Contains(t.Id)).ToDictionaryAsync(t => t.Id, t => t.Name, ct);
        var storeNames = await db.BackupStores.Where(s => stores.Contains(s.Id)).ToDictionaryAsync(s => s.Id, s => s.Name, ct);
        return [.. rows.Select(b => new Row(b, targetNames[b.TargetId], storeNames[b.StoreId]))];
    }
}
