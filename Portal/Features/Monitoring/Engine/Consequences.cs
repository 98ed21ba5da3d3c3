using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Monitoring;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Monitoring.Engine;

/// <summary>Writes what follows from checks: health, outages and gaps of a monitor in one transaction, fenced by the lease's epoch.</summary>
/// <remarks>Writing the same happening twice changes nothing: a commit whose answer was lost is simply tried again.</remarks>
sealed class Consequences(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, ILogger<Consequences> log)
{
    public async Task Save(IEnumerable<Watched> monitors, CancellationToken ct)
    {
        foreach (var watched in monitors)
        {
            if (watched.IsDropped) continue;
            try
            {
                try
                {
                    await Save(watched, ct);
                }
                catch (Exception e) when (Database.IsLostRace(e))
                {
                    await Save(watched, ct);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException && !Refusal.IsDatabaseAway(e))
            {
                // One monitor must not stop the others; it is read anew from what is stored.
                if (e is ConflictException) log.LogWarning("Monitor {Monitor} is run by another node now; a late change was discarded", watched.Id);
                else log.LogError(e, "A change of monitor {Monitor} could not be stored", watched.Id);
                watched.Drop();
            }
        }
    }

    async Task Save(Watched watched, CancellationToken ct)
    {
        await using var db = contexts.CreateDbContext();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // The lease cannot change hands before this transaction ends; it can be renewed meanwhile, however long this takes.
        var epochs = await db.Database.SqlQuery<long>($"select epoch as \"Value\" from shard_leases where shard = {watched.Shard} for key share").ToListAsync(ct);
        if (epochs is not [var epoch] || epoch != watched.Epoch) throw new ConflictException("Another node runs this monitor now.");
        var row = (await db.MonitorStates.FromSql($"select * from monitor_states where monitor_id = {watched.Id.Value} for update").ToListAsync(ct)).SingleOrDefault();
        if (row is null) { watched.Drop(); return; }
        row.Fence(watched.Epoch);
        var happenings = watched.Unsaved(state => db.Entry(row).CurrentValues.SetValues(state));
        db.Entry(row).Property(s => s.Epoch).CurrentValue = watched.Epoch;
        var turns = happenings.Any(h => h is Happening.WentDown or Happening.CameUp);
        var alerted = turns && await OutageAlerts.IsAlerted(db, watched.Id, ct);
        // Saved one after the other: an outage may end and the next begin, and only one may be open at any moment.
        foreach (var happening in happenings)
        {
            await Apply(db, watched.Id, happening, ct);
            await db.SaveChangesAsync(ct);
        }
        if (turns)
        {
            await OutageAlerts.Settle(db, watched.Monitor, alerted, clock.GetUtcNow(), ct);
            await db.SaveChangesAsync(ct);
        }
        await transaction.CommitAsync(ct);
        watched.Saved(happenings.Count);
    }

    static async Task Apply(PortalDbContext db, MonitorId monitor, Happening happening, CancellationToken ct)
    {
        switch (happening)
        {
            case Happening.WentDown down:
                if (await db.Outages.AnyAsync(o => o.MonitorId == monitor && (o.To == null || o.From == down.From), ct)) break;
                var outage = new Outage(down.Monitor, down.From, down.LastGood, down.Evidence);
                db.Add(outage);
                await Causes.Tell(db, down.Monitor, outage, ct);
                break;
            case Happening.CameUp up:
                // Written already: what is open now began with it, and must not be ended by a repetition.
                if (await db.Outages.AnyAsync(o => o.MonitorId == monitor && o.To == up.At && o.From < up.At, ct)) break;
                if (await db.Outages.SingleOrDefaultAsync(o => o.MonitorId == monitor && o.To == null, ct) is not { } open) break;
                foreach (var check in await Evidence(db, open, up.At, ct)) open.Witness(check);
                open.Close(up.At, up.LastBad);
                break;
            case Happening.Missed missed:
                if (!await db.ObservationGaps.AnyAsync(g => g.MonitorId == monitor && g.From == missed.Span.From, ct))
                    db.Add(new ObservationGap(monitor, missed.Component, missed.Span.From, missed.Span.To, missed.Reason));
                break;
            case Happening.GapBegan gap:
                if (!await db.ObservationGaps.AnyAsync(g => g.MonitorId == monitor && (g.To == null || g.From == gap.At), ct))
                    db.Add(new ObservationGap(monitor, gap.Component, gap.At, null, gap.Reason));
                break;
            case Happening.GapEnded end:
                if (await db.ObservationGaps.AnyAsync(g => g.MonitorId == monitor && g.To == end.At && g.From < end.At, ct)) break;
                if (await db.ObservationGaps.SingleOrDefaultAsync(g => g.MonitorId == monitor && g.To == null, ct) is { } gapNow) gapNow.Close(end.At);
                break;
        }
    }

    /// <summary>Failing checks that the outage does not hold yet; the raw results are deleted after a week, the outage keeps them.</summary>
    static async Task<List<FailedCheck>> Evidence(PortalDbContext db, Outage outage, DateTimeOffset until, CancellationToken ct)
    {
        var after = outage.Evidence.Count > 0 ? outage.Evidence[^1].At : outage.From.AddTicks(-10);
        return await db.Checks.AsNoTracking()
            .Where(c => c.MonitorId == outage.MonitorId && c.At > after && c.At < until && c.Outcome == CheckOutcome.Down)
            .OrderBy(c => c.At).Take(Outage.EvidenceSize)
            .Select(c => new FailedCheck(c.At, c.StatusCode, c.Detail, c.Milliseconds)).ToListAsync(ct);
    }
}
