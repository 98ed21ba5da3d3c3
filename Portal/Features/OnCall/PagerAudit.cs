using Microsoft.EntityFrameworkCore;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>What stands in the tables of the pager, held against each other: each alert that was to page somebody is accounted for.</summary>
/// <param name="Triggered">Alerts that page by themselves: those that are open, and those of the last 24 hours.</param>
/// <param name="Delivered">At least one message was taken by its channel.</param>
/// <param name="Failed">Everything was tried or nobody was there, and nothing arrived.</param>
/// <param name="Pending">A message waits, or a step is still to fire.</param>
/// <param name="Settled">Somebody had it, or it was over, before anybody was told.</param>
/// <param name="Findings">What is wrong; empty when all is well.</param>
public sealed record PagerState(long Triggered, long Delivered, long Failed, long Pending, long Settled, IReadOnlyList<PagerFinding> Findings)
{
    /// <summary>In none of the groups: nothing would ever happen to them.</summary>
    public long Lost => Triggered - Delivered - Failed - Pending - Settled;
}

/// <summary>One thing that is wrong with the pager.</summary>
/// <param name="Kind">A word for it, by which it is told once.</param>
/// <param name="Words">How many, and what it means.</param>
public sealed record PagerFinding(string Kind, long Count, string Words);

/// <summary>Reads <see cref="PagerState"/>, for the auditor and for tests.</summary>
public sealed class PagerAudit(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <summary>Longer than a healthy portal needs for any step; what is younger is on its way.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1), DeliveryPatience = TimeSpan.FromMinutes(2);

    sealed record Counts(long Triggered, long Delivered, long Failed, long Pending, long Settled, long Unescalated, long Overdue, long LateDeliveries, long Nobody, long Exhausted, long LateSignals);

    public async Task<PagerState> Load(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var c = (await db.Database.SqlQuery<Counts>($"""
            with paging as (
                select a.id, a.state, a.is_test, a.triggered_at, e.alert_id is not null as escalates, e.state as escalation, e.next_at, t.taken, t.waiting, t.failed
                from alerts a left join escalations e on e.alert_id = a.id
                left join lateral (select bool_or(d.state in ('Sent', 'Delivered')) as taken, bool_or(d.state = 'Waiting') as waiting, bool_or(d.state = 'Failed') as failed
                    from deliveries d where d.alert_id = a.id and d.purpose = 'Page') t on true
                where (a.state <> 'Resolved' or a.triggered_at > {now.AddDays(-1)}) and (a.quiet = 'No' and a.state <> 'Resolved' or e.alert_id is not null)
            ), told as (
                select *, case when taken then 'delivered' when waiting or (state <> 'Resolved' and next_at is not null) then 'pending' when failed or escalation = 'Exhausted' then 'failed'
                    when state <> 'Triggered' then 'settled' when not escalates and triggered_at > {now - Patience} then 'pending' else 'lost' end as outcome from paging
            )
            select count(*) as triggered, count(*) filter (where outcome = 'delivered') as delivered, count(*) filter (where outcome = 'failed') as failed, count(*) filter (where outcome = 'pending') as pending,
                count(*) filter (where outcome = 'settled') as settled,
                count(*) filter (where state = 'Triggered' and not escalates and triggered_at <= {now - Patience}) as unescalated,
                count(*) filter (where state <> 'Resolved' and next_at <= {now - Patience}) as overdue,
                (select count(*) from deliveries where state = 'Waiting' and due_at <= {now - DeliveryPatience}) as latedeliveries,
                count(*) filter (where state = 'Triggered' and not is_test and failed and not coalesce(taken, false) and not coalesce(waiting, false)) as nobody,
                count(*) filter (where state = 'Triggered' and not is_test and escalation = 'Exhausted') as exhausted,
                (select count(*) from heard_signals where heard_at <= {now - Patience}) as latesignals
            from told
            """).ToListAsync(ct))[0];
        return new(c.Triggered, c.Delivered, c.Failed, c.Pending, c.Settled, [.. Findings(c)]);
    }

    static IEnumerable<PagerFinding> Findings(Counts c)
    {
        if (c.LateSignals > 0) yield return new("signals", c.LateSignals, $"{Count(c.LateSignals, "signal")} was heard more than a minute ago and is no alert yet.");
        if (c.Unescalated > 0) yield return new("unescalated", c.Unescalated, $"{Count(c.Unescalated, "open alert")} should page somebody, and nothing is on its way.");
        if (c.Overdue > 0) yield return new("overdue", c.Overdue, $"{Count(c.Overdue, "step")} should have fired more than a minute ago.");
        if (c.LateDeliveries > 0) yield return new("deliveries", c.LateDeliveries, $"{Count(c.LateDeliveries, "message")} waits for more than two minutes to be sent.");
        if (c.Nobody > 0) yield return new("nobody", c.Nobody, $"{Count(c.Nobody, "open alert")} reached nobody: every message failed.");
        if (c.Exhausted > 0) yield return new("exhausted", c.Exhausted, $"{Count(c.Exhausted, "open alert")} has gone through every step of its policy, and nobody acknowledged.");
        if (c.Triggered != c.Delivered + c.Failed + c.Pending + c.Settled) yield return new("lost", c.Triggered - c.Delivered - c.Failed - c.Pending - c.Settled, "Alerts that were to page somebody are neither delivered, failed nor pending.");
    }

    static string Count(long count, string noun) => count == 1 ? $"1 {noun}" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{count:N0}× {noun}");
}
