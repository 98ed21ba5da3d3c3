using Microsoft.EntityFrameworkCore;
using Portal.Components;
using Portal.Domain.Alerting;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>
/// Takes the escalations that are due, each by one node, and in one transaction fires their steps and writes what is to be delivered. Whoever is killed before its commit has done nothing,
/// and another node does it.
/// </summary>
public sealed class DueEscalations(IDbContextFactory<PortalDbContext> contexts, StepTelling telling, TimeProvider clock, ILogger<DueEscalations> log)
{
    const int AtOnce = 50;
    /// <summary>One that cannot be fired waits so long on this node; meanwhile the auditor sees that it is late.</summary>
    static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);
    readonly Dictionary<Guid, long> resting = [];

    /// <returns>How many were due.</returns>
    public async Task<int> Drain(CancellationToken ct)
    {
        foreach (var (id, since) in resting) if (clock.GetElapsedTime(since) > Rest) resting.Remove(id);
        for (var total = 0; ;)
        {
            var taken = await TakeSome(ct);
            if (taken == 0) return total;
            total += taken;
        }
    }

    /// <summary>When something happens next; null while nothing is on its way.</summary>
    public async Task<DateTimeOffset?> Next(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Escalations.Where(e => e.NextAt != null).OrderBy(e => e.NextAt).Select(e => e.NextAt).FirstOrDefaultAsync(ct);
    }

    async Task<int> TakeSome(CancellationToken ct)
    {
        try
        {
            return await Take(null, ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested && !Refusal.IsDatabaseAway(e))
        {
            if (!IsRace(e)) log.LogWarning(e, "Escalations could not be fired together and are fired one by one");
            return await OneByOne(ct);
        }
    }

    /// <summary>One that cannot be fired must not hold up the others.</summary>
    async Task<int> OneByOne(CancellationToken ct)
    {
        var (now, held, fired) = (clock.GetUtcNow(), resting.Keys.Select(AlertId.From).ToList(), 0);
        List<AlertId> due;
        await using (var db = await contexts.CreateDbContextAsync(ct))
            due = await db.Escalations.Where(e => e.NextAt <= now && !held.Contains(e.AlertId)).OrderBy(e => e.NextAt).Select(e => e.AlertId).Take(AtOnce).ToListAsync(ct);
        foreach (var id in due)
            try
            {
                fired += await Take(id, ct);
            }
            catch (Exception e) when (!ct.IsCancellationRequested && !Refusal.IsDatabaseAway(e))
            {
                // Somebody else changed it at this moment: the next look sees what stands.
                if (IsRace(e)) continue;
                log.LogError(e, "The escalation of an alert could not be fired and is tried again: {Alert}", id);
                resting[id.Value] = clock.GetTimestamp();
            }
        return fired;
    }

    static bool IsRace(Exception e) => e is DbUpdateConcurrencyException || Contention.IsTaken(e) || Database.IsLostRace(e);

    /// <param name="only">Null for the next ones that nobody else has in hand.</param>
    async Task<int> Take(AlertId? only, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var (held, one) = (resting.Keys.ToArray(), only?.Value);
        // Nobody else's in hand: a row that another node has locked is left to it.
        var due = await (one is { } id
            ? db.Escalations.FromSql($"select e.*, e.xmin from escalations e where e.alert_id = {id} and e.next_at <= {now} for update skip locked")
            : db.Escalations.FromSql($"select e.*, e.xmin from escalations e where e.next_at <= {now} and not (e.alert_id = any({held})) order by e.next_at limit {AtOnce} for update skip locked")).ToListAsync(ct);
        if (due.Count == 0) return 0;
        var alertIds = due.Select(e => e.AlertId).ToList();
        var policyIds = due.Select(e => e.PolicyId).Distinct().ToList();
        var alerts = await db.Alerts.Where(a => alertIds.Contains(a.Id)).ToDictionaryAsync(a => a.Id, ct);
        var policies = await db.EscalationPolicies.AsNoTracking().Where(p => policyIds.Contains(p.Id)).ToDictionaryAsync(p => p.Id, ct);
        var firings = new List<Firing>();
        foreach (var escalation in due)
        {
            var (alert, policy) = (alerts[escalation.AlertId], policies[escalation.PolicyId]);
            if (!alert.IsOpen) escalation.Resolve(now);
            else if (escalation.State == EscalationState.Acknowledged) TimeOut(db, alert, escalation, now);
            else
            {
                var version = policy.Numbered(escalation.PolicyNumber);
                firings.Add(new(alert, escalation, version, policy.Name, escalation.Fire(version, now)));
            }
        }
        await telling.Add(db, firings, now, ct);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return due.Count;
    }

    static void TimeOut(PortalDbContext db, Alert alert, Escalation escalation, DateTimeOffset now)
    {
        var text = alert.SnoozedUntil is null ? $"{escalation.AcknowledgedBy} acknowledged it, and it is not resolved: those who were told last are told again" : $"{escalation.AcknowledgedBy} snoozed it until now: it pages again";
        escalation.TimeOut(now);
        alert.Release();
        db.AlertEvents.Add(new AlertEvent(alert.Id, AlertEventKind.Released, null, text, now));
    }
}
