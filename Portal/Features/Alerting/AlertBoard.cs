using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Alerts as staff work through them, the newest first. What joined another alert stands in that one.</summary>
public sealed class AlertBoard(IDbContextFactory<PortalDbContext> contexts)
{
    /// <summary>So many of the newest are looked through for the end of the last one.</summary>
    const int Recent = 200;

    /// <param name="State">Null: any.</param>
    /// <param name="Open">True: not resolved; null: any.</param>
    /// <param name="Mine">Those that this actor has, or was paged for.</param>
    public sealed record Filter(bool? Open = true, AlertState? State = null, ServiceId? Service = null, Severity? Severity = null, bool Mine = false);

    public sealed record Row(
        AlertId Id, ServiceId Service, string ServiceName, Severity Severity, string Summary, AlertState State, long Count, int GroupCount, DateTimeOffset TriggeredAt, string? AcknowledgedBy, DateTimeOffset? AcknowledgedAt,
        DateTimeOffset? SnoozedUntil, DateTimeOffset? ResolvedAt, string? ResolvedBy, AlertQuiet Quiet, string? QuietBecause, bool IsTest, IncidentId? Incident)
    {
        public bool IsOpen => State != AlertState.Resolved;
    }

    /// <param name="QuietSince">When the last of the newest alerts ended; null if there was none.</param>
    public sealed record Counts(int Triggered, int Acknowledged, DateTimeOffset? QuietSince)
    {
        public int Open => Triggered + Acknowledged;
    }

    /// <param name="after">The last row of the part before.</param>
    /// <param name="take">How many rows; one more than is shown tells whether there are more.</param>
    public async Task<IReadOnlyList<Row>> Load(Filter filter, AlertId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var query = db.Alerts.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.Alerts.Where(a => a.Id == last).Select(a => (DateTimeOffset?)a.TriggeredAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            query = db.Alerts.FromSql($"select a.*, a.xmin from alerts a where (a.triggered_at, a.id) < ({at}, {last.Value})").AsNoTracking();
        }
        query = query.Where(a => a.GroupId == null);
        if (filter.Open is { } open) query = open ? query.Where(a => a.State != AlertState.Resolved) : query.Where(a => a.State == AlertState.Resolved);
        if (filter.State is { } state) query = query.Where(a => a.State == state);
        if (filter.Service is { } service) query = query.Where(a => a.ServiceId == service);
        if (filter.Severity is { } severity) query = query.Where(a => a.Severity == severity);
        if (filter.Mine)
        {
            var (name, person) = (actor.Name, new Domain.Access.PersonId(actor.Id ?? default));
            query = query.Where(a => a.AcknowledgedBy == name || db.Deliveries.Any(d => d.AlertId == a.Id && d.PersonId == person));
        }
        return await (from a in query
                      join s in db.Services on a.ServiceId equals s.Id
                      orderby a.TriggeredAt descending, a.Id descending
                      select new Row(a.Id, a.ServiceId, s.Name, a.Severity, a.Summary, a.State, a.Count, a.GroupCount, a.TriggeredAt, a.AcknowledgedBy, a.AcknowledgedAt, a.SnoozedUntil, a.ResolvedAt, a.ResolvedBy, a.Quiet, a.QuietBecause, a.IsTest, a.IncidentId))
            .Take(take).ToListAsync(ct);
    }

    /// <summary>How many are open; tests and parts of groups are not counted.</summary>
    public async Task<Counts> LoadCounts(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var open = await db.Alerts.Where(a => a.State != AlertState.Resolved && a.GroupId == null && !a.IsTest).GroupBy(a => a.State).Select(g => new { State = g.Key, Count = g.Count() }).ToListAsync(ct);
        var last = await db.Alerts.OrderByDescending(a => a.TriggeredAt).ThenByDescending(a => a.Id).Take(Recent).MaxAsync(a => a.ResolvedAt, ct);
        return new(open.Find(o => o.State == AlertState.Triggered)?.Count ?? 0, open.Find(o => o.State == AlertState.Acknowledged)?.Count ?? 0, last);
    }

    /// <summary>Services by name, for whoever filters.</summary>
    public async Task<IReadOnlyList<(ServiceId Id, string Slug, string Name)>> LoadServices(CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        return [.. (await db.Services.OrderBy(s => s.Name).Select(s => new { s.Id, s.Slug, s.Name }).ToListAsync(ct)).Select(s => (s.Id, s.Slug, s.Name))];
    }
}
