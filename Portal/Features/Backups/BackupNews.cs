using Microsoft.EntityFrameworkCore;
using Portal.Domain.Backups;
using Portal.Domain.Jobs;
using Portal.Domain.Notifications;
using Portal.Domain.Shared;
using Portal.Features.Jobs;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Backups;

/// <summary>Tells the administrators what they must know of backups: one that failed or was missed, that it works again, one that shrank, a store that fails or is nearly full; and each good one where its plan asks for that. On screens and by mail, once.</summary>
public sealed class BackupNews(IDbContextFactory<PortalDbContext> contexts, JobKinds kinds, TimeProvider clock)
{
    /// <summary>What ended longer ago is no news after a start.</summary>
    static readonly TimeSpan Recent = TimeSpan.FromHours(24);
    const double Shrunk = 0.5;
    const int Usual = 10;
    static readonly string[] Kinds = [BackUp.Kind, VerifyBackups.Kind, RestoreBackup.Kind];

    /// <summary>An end is written a moment after its time: what was looked at is looked at once more, and told once all the same.</summary>
    static readonly TimeSpan Overlap = TimeSpan.FromMinutes(3);
    DateTimeOffset? seen;

    public async Task Tell(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var since = seen ?? now - Recent;
        await using var db = await contexts.CreateDbContextAsync(ct);
        foreach (var run in await db.JobRuns.AsNoTracking().Where(r => Kinds.Contains(r.Kind) && r.EndedAt > since && r.State != RunState.Cancelled).OrderBy(r => r.EndedAt).ToListAsync(ct)) await Once(other => OfRun(other, run, now, ct), ct);
        foreach (var store in await db.BackupStores.AsNoTracking().Where(s => s.RetiredAt == null && s.ProbedAt != null).ToListAsync(ct)) await Once(other => OfStore(other, store, now, ct), ct);
        seen = now - Overlap;
    }

    async Task OfRun(PortalDbContext db, JobRun run, DateTimeOffset now, CancellationToken ct)
    {
        var topic = $"{run.Kind}:{run.Subject}";
        var link = $"/admin/jobs/{run.Id}";
        if (run.State != RunState.Succeeded)
        {
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"{kinds.TitleOf(run.Kind)} of {run.Subject}: {JobWords.Text(run.State).ToLowerInvariant()}", JobWords.Sentence(run, kinds.TitleOf(run.Kind), null) ?? run.Error ?? "", topic, $"job:{run.Id}", link), now, ct);
            return;
        }
        var wasBroken = await db.Notices.AnyAsync(n => n.Topic == topic && n.ResolvedAt == null && n.At < run.EndedAt, ct);
        var (title, sentence) = ($"{kinds.TitleOf(run.Kind)} of {run.Subject}", JobWords.Sentence(run, kinds.TitleOf(run.Kind), kinds.ResultOf(run)) ?? "");
        if (wasBroken) await Noticeboard.Tell(db, new News(NoticeSeverity.Info, $"{title} works again", sentence, topic, $"job:{run.Id}", link, OnScreen: false), now, ct);
        // Under a topic of its own: what went wrong since this one ended is not over by it.
        else if (await IsAskedFor(db, run, ct)) await Noticeboard.Tell(db, new News(NoticeSeverity.Info, $"{title} succeeded", sentence, $"success:{run.Id}", $"job:{run.Id}", link, OnScreen: false), now, ct);
        if (run.Kind == BackUp.Kind) await OfSize(db, run, now, ct);
    }

    static async Task<bool> IsAskedFor(PortalDbContext db, JobRun run, CancellationToken ct)
    {
        if (run.Kind != BackUp.Kind || !Id.TryParse<BackupPlanId>(BackUp.Read(run.Arguments).Plan, out var id)) return false;
        var since = await db.BackupPlans.Where(p => p.Id == id).Select(p => p.TellsSuccessSince).SingleOrDefaultAsync(ct);
        return run.EndedAt >= since;
    }

    /// <summary>Half of the usual size is no good sign: somebody deleted much, or the account sees less than before.</summary>
    static async Task OfSize(PortalDbContext db, JobRun run, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var made in await db.Backups.AsNoTracking().Where(b => b.RunId == run.Id && b.State == BackupState.Kept).Select(b => new { b.Id, b.TargetId, b.StoreId, b.StartedAt, b.PlainBytes }).ToListAsync(ct))
        {
            var before = await db.Backups.Where(b => b.TargetId == made.TargetId && b.StoreId == made.StoreId && b.FinishedAt != null && b.StartedAt < made.StartedAt).OrderByDescending(b => b.StartedAt).Take(Usual).Select(b => b.PlainBytes).ToListAsync(ct);
            if (before.Count < 3) continue;
            var usual = before.Order().ElementAt(before.Count / 2);
            if (made.PlainBytes >= usual * Shrunk) continue;
            await Noticeboard.Tell(db, new News(NoticeSeverity.Warning, $"The backup of {run.Subject} has shrunk", $"It holds {ByteWords.Of(made.PlainBytes)}; {ByteWords.Of(usual)} is usual. Look whether what is missing was meant to go.", $"shrunk:{made.TargetId}", $"shrunk:{made.Id}", $"/admin/backups/{made.Id}"), now, ct);
        }
    }

    static async Task OfStore(PortalDbContext db, BackupStore store, DateTimeOffset now, CancellationToken ct)
    {
        var topic = $"store:{store.Id}";
        if (store.Problem is { } problem)
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"The backup store {store.Name} does not work", problem, topic, $"{topic}:{store.ProbedAt:yyyy-MM-dd}", "/admin/backups/stores"), now, ct);
        else if (BackupStorePart.IsNearlyFull(store))
            await Noticeboard.Tell(db, new News(NoticeSeverity.Warning, $"The backup store {store.Name} is nearly full", $"{ByteWords.Of(store.FreeBytes ?? 0)} of {ByteWords.Of(store.TotalBytes ?? 0)} are free. Make room, or shorten the retention of the plans that write to it.", topic, $"{topic}:full:{store.ProbedAt:yyyy-MM-dd}", "/admin/backups/stores"), now, ct);
        else await Noticeboard.Resolve(db, topic, now, ct);
    }

    /// <summary>Of nodes that tell the same at once one does, and the other sees at its next look that it was told.</summary>
    async Task Once(Func<PortalDbContext, Task> tell, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        await tell(db);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (e is DbUpdateConcurrencyException || Contention.IsTaken(e))
        {
            return;
        }
    }
}
