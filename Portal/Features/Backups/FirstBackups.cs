using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>From the first start the portal's own database is backed up every hour to the configured store. Each part is made once, and stays as people change it; the store follows the configuration.</summary>
public sealed class FirstBackups(IDbContextFactory<PortalDbContext> contexts, PortalOptions options, StoreOpening opening, TimeProvider clock) : IStartupStep
{
    static readonly BackupTargetId Own = new(new Guid("0198c000-0000-7000-8000-626b70000001"));
    static readonly BackupPlanId Plan = new(new Guid("0198c000-0000-7000-8000-626b70000002"));
    static readonly JobScheduleId Schedule = new(new Guid("0198c000-0000-7000-8000-626b70000003"));

    /// <summary>Not at the full hour, when everything else begins.</summary>
    const string Hourly = "17 * * * *";

    public int Order => 210;

    public async Task Run(CancellationToken ct)
    {
        try
        {
            await Contention.Settle(() => Prepare(ct));
        }
        catch (DbUpdateException e) when (Contention.IsTaken(e))
        {
            // Another node made it at the same moment.
        }
    }

    async Task<bool> Prepare(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var store = await Store(db, now, ct);
        if (!await db.BackupTargets.AnyAsync(t => t.Id == Own, ct))
        {
            var target = BackupTarget.OfPortal(now, Own);
            var schedule = new JobSchedule(BackUp.Kind, target.Name, new BackUp.Arguments(Own.ToString(), Plan.ToString()).ToJson(), Hourly, options.Public.TimeZone.Id, now, Schedule);
            var plan = new BackupPlan("The portal, every hour", Own, Schedule, now, Plan);
            plan.Change(plan.Name, [store.Id], 9, VerificationLevel.Archive, Retention.Standard, 15);
            db.AddRange(target, schedule, plan);
        }
        await db.SaveChangesAsync(ct);
        return true;
    }

    /// <summary>Another place in the configuration is another store: what lies in the one before stays there, and plans write to the new one from now on.</summary>
    async Task<BackupStore> Store(PortalDbContext db, DateTimeOffset now, CancellationToken ct)
    {
        var configured = await db.BackupStores.SingleOrDefaultAsync(s => s.IsConfigured, ct);
        if (configured is not null && configured.Place == options.Backups.Place) return configured;
        // The default lies in the data folder of each node: the first one's is the store of all, while it is there or others work with it.
        if (configured is not null && options.Backups.IsDefault && (Directory.Exists(configured.Place.Folder) || await db.LiveNodes.AnyAsync(ct))) return configured;
        if (configured is not null && configured.Place.Words == options.Backups.Place.Words)
        {
            configured.Follow(options.Backups.Place);
            return configured;
        }
        var key = Id.New<BackupKeyId>(now);
        configured?.LeaveConfiguration($"{configured.Name} until {now:yyyy-MM-dd HH:mm:ss.fff}");
        // The one before must have left the configuration before the next can be in it.
        await db.SaveChangesAsync(ct);
        var store = new BackupStore("Configured", options.Backups.Place, key, now, isConfigured: true);
        store.Keep(opening.NewKey(key));
        db.BackupStores.Add(store);
        if (configured is not null)
            foreach (var plan in await db.BackupPlans.Where(p => p.StoreIds.Contains(configured.Id.Value)).ToListAsync(ct)) plan.Move(configured.Id, store.Id);
        return store;
    }
}
