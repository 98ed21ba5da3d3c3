using Microsoft.EntityFrameworkCore;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;
using Portal.Domain.Notifications;
using Portal.Features.Jobs;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Drills;

/// <summary>Tells the administrators of a drill that failed, was missed, or came back later or with more lost than was promised. On screens and by mail, once; a drill that passes ends it.</summary>
public sealed class DrillNews(IDbContextFactory<PortalDbContext> contexts, JobKinds kinds, TimeProvider clock)
{
    /// <summary>What ended longer ago is no news after a start.</summary>
    static readonly TimeSpan Recent = TimeSpan.FromHours(24);
    /// <summary>An end is written a moment after its time.</summary>
    static readonly TimeSpan Overlap = TimeSpan.FromMinutes(3);
    DateTimeOffset? seen;

    public async Task Tell(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var since = seen ?? now - Recent;
        await using var db = await contexts.CreateDbContextAsync(ct);
        var ended = await db.JobRuns.AsNoTracking().Where(r => r.Kind == RunDrill.Kind && r.EndedAt > since && r.State != RunState.Cancelled).OrderBy(r => r.EndedAt).ToListAsync(ct);
        var ids = ended.Select(r => r.Id).ToList();
        var drills = await db.Drills.AsNoTracking().Where(d => ids.Contains(d.Id)).ToDictionaryAsync(d => d.Id, ct);
        foreach (var run in ended) await Once(run, drills.GetValueOrDefault(run.Id), now, ct);
        seen = now - Overlap;
    }

    /// <summary>Of nodes that tell the same at once one does, and the other sees at its next look that it was told.</summary>
    async Task Once(JobRun run, Drill? drill, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var (topic, once, link) = ($"drill:{run.Subject}", $"job:{run.Id}", drill is null ? $"/admin/jobs/{run.Id}" : $"/admin/drills/{run.Id}");
        if (drill is { MetAll: true })
        {
            // One that was told since is of a later drill.
            if (!await db.Notices.AnyAsync(n => n.Topic == topic && n.ResolvedAt == null && n.At > run.EndedAt, ct)) await Noticeboard.Resolve(db, topic, now, ct);
        }
        else if (drill is { Outcome: DrillOutcome.Passed })
            await Noticeboard.Tell(db, new News(NoticeSeverity.Warning, $"{run.Subject} would come back, but not as was promised", DrillWords.Sentence(drill)!, topic, once, link), now, ct);
        else
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"Drill of {run.Subject}: {JobWords.Text(run.State).ToLowerInvariant()}", (drill is { IsOver: true } ? DrillWords.Sentence(drill) : JobWords.Sentence(run, kinds.TitleOf(run.Kind), null)) ?? run.Error ?? "", topic, once, link), now, ct);
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
