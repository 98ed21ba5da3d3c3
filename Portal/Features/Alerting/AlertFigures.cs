using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>How soon faults were found, answered and over, by month; without tests and without what only joined another alert. Months and nights are those of the page's zone.</summary>
public sealed class AlertFigures(IDbContextFactory<PortalDbContext> contexts, PortalOptions options, TimeProvider clock)
{
    public const int MostMonths = 24;
    /// <summary>The night, in hours of the day.</summary>
    const int NightFrom = 22, NightTo = 7;

    /// <summary>Seconds.</summary>
    public sealed record Spread(double? Median, double? P90);

    /// <param name="Month">"2026-11".</param>
    /// <param name="Answered">By a person.</param>
    /// <param name="Detected">From when the fault began to the alert (MTTD).</param>
    /// <param name="Acknowledged">From the alert to the first person who took it (MTTA).</param>
    /// <param name="Resolved">From when the fault began to its end (MTTR).</param>
    public sealed record Row(string Month, ServiceId Service, string ServiceName, Severity Severity, int Alerts, int Answered, int Over, Spread Detected, Spread Acknowledged, Spread Resolved);

    /// <param name="Rule">Null: raised by other systems and people.</param>
    /// <param name="Acted">A person took it.</param>
    /// <param name="BySelf">It was over before anybody did.</param>
    public sealed record NoiseRow(string Month, AlertRuleId? Rule, string Name, int Fired, int Acted, int BySelf, int AtNight);

    /// <param name="Alerts">So many alerts paged this person.</param>
    public sealed record PersonRow(string Month, string Person, int Alerts, int AtNight);

    sealed record Grouped(string Month, Guid Service, string Name, string Severity, int Alerts, int Answered, int Over, double? FoundHalf, double? FoundMost, double? AnsweredHalf, double? AnsweredMost, double? OverHalf, double? OverMost);

    sealed record Noisy(string Month, Guid? Rule, string? Name, int Fired, int Acted, int BySelf, int AtNight);

    string Zone => options.Public.TimeZone.Id;

    /// <param name="months">So many, this one included.</param>
    public async Task<IReadOnlyList<Row>> Load(int months, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var from = From(months);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rows = await db.Database.SqlQuery<Grouped>($"""
            select to_char(a.triggered_at at time zone {Zone}, 'YYYY-MM') as "Month", a.service_id as "Service", s.name as "Name", a.severity as "Severity",
                count(*)::int as "Alerts", count(a.first_human_at)::int as "Answered", count(a.resolved_at)::int as "Over",
                percentile_cont(0.5) within group (order by extract(epoch from a.triggered_at - a.began_at)) as "FoundHalf", percentile_cont(0.9) within group (order by extract(epoch from a.triggered_at - a.began_at)) as "FoundMost",
                percentile_cont(0.5) within group (order by extract(epoch from a.first_human_at - a.triggered_at)) as "AnsweredHalf", percentile_cont(0.9) within group (order by extract(epoch from a.first_human_at - a.triggered_at)) as "AnsweredMost",
                percentile_cont(0.5) within group (order by extract(epoch from a.resolved_at - a.began_at)) as "OverHalf", percentile_cont(0.9) within group (order by extract(epoch from a.resolved_at - a.began_at)) as "OverMost"
            from alerts a join services s on s.id = a.service_id
            where a.triggered_at >= {from} and not a.is_test and a.group_id is null
            group by 1, 2, 3, 4 order by 1 desc, 3, 4
            """).ToListAsync(ct);
        return [.. rows.Select(r => new Row(r.Month, new(r.Service), r.Name, Enum.Parse<Severity>(r.Severity), r.Alerts, r.Answered, r.Over, new(r.FoundHalf, r.FoundMost), new(r.AnsweredHalf, r.AnsweredMost), new(r.OverHalf, r.OverMost)))];
    }

    /// <summary>What fired, and whether anybody had to do anything about it; the loudest first.</summary>
    public async Task<IReadOnlyList<NoiseRow>> LoadNoise(int months, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var from = From(months);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rows = await db.Database.SqlQuery<Noisy>($"""
            select to_char(a.triggered_at at time zone {Zone}, 'YYYY-MM') as "Month", a.rule_id as "Rule", r.name as "Name", count(*)::int as "Fired", count(a.first_human_at)::int as "Acted",
                (count(*) filter (where a.resolved_at is not null and a.resolved_by is null and a.first_human_at is null))::int as "BySelf",
                (count(*) filter (where extract(hour from a.triggered_at at time zone {Zone}) >= {NightFrom} or extract(hour from a.triggered_at at time zone {Zone}) < {NightTo}))::int as "AtNight"
            from alerts a left join alert_rules r on r.id = a.rule_id
            where a.triggered_at >= {from} and not a.is_test
            group by 1, 2, 3 order by 1 desc, count(*) desc, 3
            """).ToListAsync(ct);
        return [.. rows.Select(r => new NoiseRow(r.Month, r.Rule is { } id ? new(id) : null, r.Rule is null ? "Other systems and people" : r.Name ?? "A rule that was deleted", r.Fired, r.Acted, r.BySelf, r.AtNight))];
    }

    /// <summary>Whom it woke.</summary>
    public async Task<IReadOnlyList<PersonRow>> LoadPeople(int months, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var from = From(months);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Database.SqlQuery<PersonRow>($"""
            select to_char(p.at at time zone {Zone}, 'YYYY-MM') as "Month", people.name as "Person", count(*)::int as "Alerts",
                (count(*) filter (where extract(hour from p.at at time zone {Zone}) >= {NightFrom} or extract(hour from p.at at time zone {Zone}) < {NightTo}))::int as "AtNight"
            from (select d.person_id, d.alert_id, min(coalesce(d.sent_at, d.due_at)) as at from alerts a join deliveries d on d.alert_id = a.id
                  where a.triggered_at >= {from} and not a.is_test and d.purpose = 'Page' and d.person_id is not null and d.state in ('Sent', 'Delivered') group by 1, 2) p
            join people on people.id = p.person_id
            group by 1, 2 order by 1 desc, 3 desc, 2
            """).ToListAsync(ct);
    }

    /// <summary>Where the first of the months begins.</summary>
    DateTime From(int months)
    {
        if (months is < 1 or > MostMonths) throw new DomainException($"Ask for 1 to {MostMonths} months.", "months");
        var zone = options.Public.TimeZone;
        var local = TimeZoneInfo.ConvertTime(clock.GetUtcNow(), zone);
        var first = new DateTime(local.Year, local.Month, 1).AddMonths(1 - months);
        return DateTime.SpecifyKind(first - zone.GetUtcOffset(first), DateTimeKind.Utc);
    }
}
