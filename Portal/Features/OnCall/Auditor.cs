using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Notifications;
using Portal.Hosting;
using Portal.Infrastructure.Notifications;
using Portal.Infrastructure.Persistence;
using Portal.Live;

namespace Portal.Features.OnCall;

/// <summary>Holds the tables of the pager against each other every minute, on each node, and complains of what does not add up: on screens, by mail every hour as long as it lasts, and as a health part.</summary>
public sealed class Auditor(PagerAudit audit, IDbContextFactory<PortalDbContext> contexts, StartupState state, TimeProvider clock, ILogger<Auditor> log) : BackgroundService
{
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(1);
    const string Topic = "pager:";
    readonly DatabaseContact contact = new("The auditor of the pager", clock, log);

    /// <summary>The last look and when it was; null before the first one.</summary>
    public (PagerState State, long At)? Last { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await state.Prepared.WaitAsync(stoppingToken);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await Turn(stoppingToken);
                contact.Found();
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (Refusal.IsDatabaseAway(e)) contact.Lost(e);
                else log.LogError(e, "The pager could not be audited; tried again");
            }
            await Task.Delay(Every, clock, stoppingToken);
        }
    }

    public async Task<PagerState> Turn(CancellationToken ct)
    {
        var found = await audit.Load(ct);
        Last = (found, clock.GetTimestamp());
        foreach (var finding in found.Findings) log.LogError("The pager does not add up: {Kind}, {Count}", finding.Kind, finding.Count);
        await Complain(found, ct);
        return found;
    }

    /// <summary>Of nodes that find the same at once one tells it, and the other sees at its next look that it was told.</summary>
    async Task Complain(PagerState found, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var hour = now.ToUnixTimeSeconds() / 3_600;
        await using var db = await contexts.CreateDbContextAsync(ct);
        var open = await db.Notices.Where(n => n.Topic.StartsWith(Topic) && n.ResolvedAt == null).Select(n => n.Topic).ToListAsync(ct);
        foreach (var finding in found.Findings)
            await Noticeboard.Tell(db, new News(NoticeSeverity.Problem, $"The pager does not add up: {finding.Kind}", $"{finding.Words} Look at it at once: a page may not have reached anybody.", Topic + finding.Kind, $"{Topic}{finding.Kind}:{hour}", "/ops/on-call"), now, ct);
        foreach (var over in open.Except(found.Findings.Select(f => Topic + f.Kind))) await Noticeboard.Resolve(db, over, now, ct);
        if (!found.Findings.Any(f => f.Kind == "exhausted"))
            foreach (var over in await db.Notices.Where(n => n.Topic.StartsWith("exhausted:") && n.ResolvedAt == null).Select(n => n.Topic).ToListAsync(ct)) await Noticeboard.Resolve(db, over, now, ct);
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
