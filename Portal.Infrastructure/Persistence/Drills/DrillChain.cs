using Microsoft.EntityFrameworkCore;
using Portal.Domain.Audit;
using Portal.Domain.Drills;
using Portal.Domain.Jobs;

namespace Portal.Infrastructure.Persistence.Drills;

/// <summary>What a look at all evidence of drills came to.</summary>
/// <param name="Links">How many were looked at.</param>
/// <param name="Problem">The first thing wrong, in words; null where all is as it was sealed.</param>
public sealed record DrillVerdict(long Links, string? Problem);

/// <summary>The chain of evidence over all drills. Each link's seal stands in the audit row of its commit too, and so in the audit log's own chain and anchors: who makes this chain anew must forge that one as well.</summary>
public static class DrillChain
{
    /// <summary>The actions of the audit rows that carry seals.</summary>
    const string Recorded = "drill.recorded", SignedOff = "drill.signed_off";

    const int AtOnce = 50;

    /// <summary>Of the audit row that is committed with a link. The seal stands first: what is too long is cut at its end.</summary>
    public static string Summary(DrillEvidence link, string words) => $"Seal {link.SealText}: {words}";

    /// <summary>Adds a link in the caller's transaction, which holds the end of the chain until it commits.</summary>
    public static async Task<DrillEvidence> Append(PortalDbContext db, JobRunId drill, DrillEvidenceKind kind, object content, DateTimeOffset now, CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('drill_evidence'))", ct);
        var before = await db.DrillEvidence.AsNoTracking().OrderByDescending(e => e.Position).FirstOrDefaultAsync(ct);
        var link = new DrillEvidence(drill, kind, content, before, now);
        db.DrillEvidence.Add(link);
        return link;
    }

    /// <summary>Whether a link is as it was sealed, follows the one before it, and its seal stands in the audit log.</summary>
    public static async Task<bool> IsWhole(PortalDbContext db, DrillEvidence link, CancellationToken ct)
    {
        var before = link.Position == 1 ? AuditSeal.Beginning : await db.DrillEvidence.Where(e => e.Position == link.Position - 1).Select(e => e.Seal).SingleOrDefaultAsync(ct);
        return before is not null && link.IsWhole(before) && await IsInAudit(db, link, ct);
    }

    /// <summary>Every link from the first to the last.</summary>
    public static async Task<DrillVerdict> Verify(PortalDbContext db, CancellationToken ct)
    {
        // One moment of both: beside a running portal the audit log grows meanwhile.
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var (seen, before) = (0L, AuditSeal.Beginning);
        while (true)
        {
            var links = await db.DrillEvidence.AsNoTracking().Where(e => e.Position > seen).OrderBy(e => e.Position).Take(AtOnce).ToListAsync(ct);
            foreach (var link in links)
            {
                if (link.Position != seen + 1) return new(seen, $"The evidence of drills no. {seen + 1} is missing: somebody took it away.");
                if (!link.IsWhole(before)) return new(seen, $"The evidence of drills no. {link.Position} (of drill {link.DrillId}) is not as it was sealed: somebody changed it.");
                if (!await IsInAudit(db, link, ct)) return new(seen, $"The seal of the evidence of drills no. {link.Position} does not stand in the audit log, or not alone: the chain was made anew, or that row is gone or has company.");
                (seen, before) = (link.Position, link.Seal);
            }
            if (links.Count < AtOnce) return await End(db, seen, ct);
        }
    }

    /// <summary>What the end lost shows in the audit log, which tells of more than there is.</summary>
    static async Task<DrillVerdict> End(PortalDbContext db, long seen, CancellationToken ct)
    {
        var told = await db.Audit.LongCountAsync(a => a.Action == Recorded || a.Action == SignedOff, ct);
        return new(seen, told > seen ? $"The audit log tells of {told} pieces of evidence of drills, and {seen} are there: the newest are missing." : null);
    }

    static async Task<bool> IsInAudit(PortalDbContext db, DrillEvidence link, CancellationToken ct)
    {
        var (subject, action) = (link.DrillId.ToString(), link.Kind == DrillEvidenceKind.Record ? Recorded : SignedOff);
        var told = await db.Audit.Where(a => a.Subject == subject && a.Action == action).Select(a => a.Summary).Take(2).ToListAsync(ct);
        // A second row of the same kind was added for a second seal.
        return told is [var summary] && summary.StartsWith(Summary(link, ""), StringComparison.Ordinal);
    }
}
