using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Hosting;
using Portal.Infrastructure.Backups;
using Portal.Infrastructure.Persistence;
using Portal.Infrastructure.Persistence.Audit;

namespace Portal.Features.Backups;

/// <summary>Backs up one target to one store: the row, the artifact, its verification. What is begun and not finished is taken away.</summary>
public sealed class BackupWork(IDbContextFactory<PortalDbContext> contexts, StoreOpening opening, TargetWays ways, AuditChain audit, TimeProvider clock)
{
    /// <param name="plan">Null for a backup beside any plan.</param>
    /// <returns>What lies in the store now.</returns>
    public async Task<Backup> Make(RunContext run, BackupTarget target, BackupPlan? plan, BackupStore settings, CancellationToken ct)
    {
        using var store = opening.Open(settings);
        run.Phase("Backing up", $"{target.Name} to {settings.Name}");
        await StoreOpening.KeepKeys(store, ct);
        var id = Id.New<BackupId>(clock.GetUtcNow());
        var expected = await Begin(id, run.Id, target, plan, settings, ct);
        try
        {
            var order = new ArtifactWriter.Order(id, target.Name, store.Key, plan?.GzipLevel ?? 9, PortalVersion.Text, target.Kind == BackupTargetKind.Portal ? await audit.Head(ct) : null, Carried(target, settings), token => StillWanted(id, token));
            var manifest = await new ArtifactWriter(clock).Write(order, await ways.Source(target, ct), store.Place, p => run.Report(Share(p.Content, expected), Words(p)), ct);
            return await Publish(id, manifest, ct);
        }
        catch
        {
            // It took its own files away; what could not be reached is looked for again by the upkeep, while the row is there.
            await Forget(store, id, target);
            throw;
        }
    }

    /// <summary>Proves what the plan asks for at once.</summary>
    /// <exception cref="BackupFailedException">Damaged: the row says so too.</exception>
    public async Task Verify(RunContext run, BackupId id, VerificationLevel to, CancellationToken ct)
    {
        if (to == VerificationLevel.Stored) return;
        await using var db = await contexts.CreateDbContextAsync(ct);
        var place = await db.Backups.Where(b => b.Id == id && b.State == BackupState.Kept).Select(b => (BackupStoreId?)b.StoreId).SingleOrDefaultAsync(ct) ?? throw new DomainException("This backup was deleted meanwhile.", "backup");
        using var store = opening.Open(await db.BackupStores.AsNoTracking().SingleAsync(s => s.Id == place, ct));
        run.Phase("Verifying", to == VerificationLevel.Checksum ? "reading it back" : "reading the archive to its end");
        try
        {
            var manifest = await store.Reader.Manifest(id, store.Key, ct);
            void Moved(ArtifactProgress p) => run.Report(to == VerificationLevel.Checksum ? Share(p.Stored, manifest.Stored.Bytes) : Share(p.Content, manifest.Plain.Bytes), Words(p));
            if (to == VerificationLevel.Checksum) await store.Reader.CheckStored(manifest, store.Key, Moved, ct);
            else await ArchiveCheck.Run(store.Reader, manifest, store.Key, await PostgresTools.Find(ct), Moved, ct);
            await Note(id, b => b.Verified(to, clock.GetUtcNow()), ct);
        }
        catch (BackupFailedException e) when (e.Kind is BackupFailure.Damaged or BackupFailure.Missing)
        {
            await Note(id, b => b.Damaged(e.Message), ct);
            throw;
        }
    }

    /// <summary>After work that took long: whoever held or kept the backup meanwhile does not undo it.</summary>
    public Task<BackupId> Note(BackupId id, Action<Backup> what, CancellationToken ct) => Contention.Settle(async () =>
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Backups.SingleOrDefaultAsync(b => b.Id == id && b.State == BackupState.Kept, ct) is not { } backup) return id;
        what(backup);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            throw new ConflictException("The backup was changed at the same moment.");
        }
        return id;
    });

    /// <summary>What attempts before this one left: nobody else works on this run.</summary>
    public async Task RemoveLeftOvers(JobRunId run, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        foreach (var left in await db.Backups.Where(b => b.RunId == run && b.State == BackupState.Writing).Select(b => b.Id).ToListAsync(ct))
            await Settle(left, ct);
    }

    /// <summary>A backup whose writing ended without a word: it is whole where its manifest was published, else it is removed.</summary>
    public async Task Settle(BackupId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.Backups.SingleOrDefaultAsync(b => b.Id == id && b.State == BackupState.Writing, ct) is not { } backup) return;
        using var store = opening.Open(await db.BackupStores.AsNoTracking().SingleAsync(s => s.Id == backup.StoreId, ct));
        try
        {
            backup.Publish(await store.Reader.Manifest(id, store.Key, ct));
        }
        catch (BackupFailedException e) when (e.Kind is BackupFailure.Missing or BackupFailure.Damaged)
        {
            if (e.Kind == BackupFailure.Damaged) await ArtifactWriter.Delete(store.Place, id, backup.Kind, ct);
            await ArtifactWriter.RemovePartial(store.Place, id, backup.Kind, ct);
            db.Backups.Remove(backup);
        }
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            // The upkeep of a node and the next attempt may look at the same moment: both find the same.
        }
    }

    async Task<long> Begin(BackupId id, JobRunId run, BackupTarget target, BackupPlan? plan, BackupStore store, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var before = await db.Backups.Where(b => b.TargetId == target.Id && b.State == BackupState.Kept).OrderByDescending(b => b.StartedAt).ThenByDescending(b => b.Id).Select(b => b.PlainBytes).FirstOrDefaultAsync(ct);
        db.Backups.Add(new Backup(id, plan?.Id, target, store.Id, run, clock.GetUtcNow()));
        await db.SaveChangesAsync(ct);
        return before;
    }

    /// <summary>A node that was taken for dead finds its row gone: another one has begun anew, or nobody wants it any more.</summary>
    public async Task StillWanted(BackupId id, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (!await db.Backups.AnyAsync(b => b.Id == id && b.State == BackupState.Writing, ct)) throw Lost();
    }

    async Task<Backup> Publish(BackupId id, BackupManifest manifest, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var backup = await db.Backups.SingleOrDefaultAsync(b => b.Id == id, ct) ?? throw Lost();
        if (backup.State == BackupState.Writing) backup.Publish(manifest);
        await db.SaveChangesAsync(ct);
        return backup;
    }

    static BackupFailedException Lost() => new(BackupFailure.Passing, "The run was taken from this node meanwhile: what it wrote was discarded.");

    async Task Forget(OpenStore store, BackupId id, BackupTarget target)
    {
        // The token has ended as a rule; a store that hangs is left to the upkeep.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), clock);
        try
        {
            await using var db = await contexts.CreateDbContextAsync(limit.Token);
            var kind = target.IsDatabase ? ContentKind.Database : ContentKind.Directory;
            if (await db.Backups.AnyAsync(b => b.Id == id && b.State == BackupState.Kept, limit.Token)) return;
            await ArtifactWriter.Delete(store.Place, id, kind, limit.Token);
            await ArtifactWriter.RemovePartial(store.Place, id, kind, limit.Token);
            await db.Backups.Where(b => b.Id == id && b.State == BackupState.Writing).ExecuteDeleteAsync(limit.Token);
        }
        catch (Exception e) when (e is BackupFailedException or OperationCanceledException or DbUpdateException || Components.Refusal.IsDatabaseAway(e))
        {
            return;
        }
    }

    static Dictionary<string, string>? Carried(BackupTarget target, BackupStore store) =>
        target.Kind == BackupTargetKind.Portal && store.WrappedMasterKey is { } key ? new() { ["master.key"] = key } : null;

    static double? Share(long done, long of) => of > 0 ? Math.Min(0.99, (double)done / of) : null;

    static string Words(ArtifactProgress p) => $"{ByteWords.Of(p.Content)} read, {ByteWords.Of(p.Stored)} in the store";
}
