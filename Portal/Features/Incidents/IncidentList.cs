using Microsoft.EntityFrameworkCore;
using Portal.Domain.Incidents;
using Portal.Domain.Shared;
using Portal.Domain.StatusPages;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Incidents;

/// <summary>Incidents, newest beginning first, part by part.</summary>
public sealed class IncidentList(IDbContextFactory<PortalDbContext> contexts)
{
    /// <param name="Open">True: unresolved ones; false: resolved ones; null: all.</param>
    /// <param name="Text">Part of the title, looked for in the next <see cref="SearchedTitles"/> incidents.</param>
    public sealed record Filter(bool? Open = null, Severity? Severity = null, string? Text = null);

    public sealed record Row(
        IncidentId Id, string Title, Severity Severity, Indicator Impact, IncidentStatus Status, DateTimeOffset StartedAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt,
        DateTimeOffset? ResolvedAt, DateTimeOffset? NextUpdateBy, IReadOnlyList<string> Components, string? LastWords, DateTimeOffset? LastPublicAt);

    /// <summary>No index finds a part of a title: so many are read for one part of the list, and not all that there ever were.</summary>
    public const int SearchedTitles = 10_000;

    /// <param name="after">The last row of the part before.</param>
    /// <param name="take">How many rows; one more than is shown tells whether there are more.</param>
    public async Task<IReadOnlyList<Row>> Load(Filter filter, IncidentId? after, int take, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var query = db.Incidents.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.Incidents.Where(i => i.Id == last).Select(i => (DateTimeOffset?)i.StartedAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            query = db.Incidents.FromSql($"select i.*, i.xmin from incidents i where (i.started_at, i.id) < ({at}, {last.Value})").AsNoTracking();
        }
        if (filter.Open is { } open) query = query.Where(i => i.ResolvedAt == null == open);
        if (filter.Severity is { } severity) query = query.Where(i => i.Severity == severity);
        if (filter.Text is { Length: > 0 } text)
            query = query.OrderByDescending(i => i.StartedAt).ThenByDescending(i => i.Id).Take(SearchedTitles).Where(i => EF.Functions.ILike(i.Title, $"%{Escaped(text)}%", "\\"));
        var rows = await query.OrderByDescending(i => i.StartedAt).ThenByDescending(i => i.Id).Take(take)
            .Select(i => new
            {
                i.Id,
                i.Title,
                i.Severity,
                i.Impact,
                i.Status,
                i.StartedAt,
                i.CreatedAt,
                i.UpdatedAt,
                i.ResolvedAt,
                i.NextUpdateBy,
                Components = i.Effects.Select(e => e.ComponentId).Distinct().ToList(),
                // One value each: two together would be numbered for all incidents there ever were before they are joined to these few.
                LastWords = i.Updates.Where(u => u.Visibility == UpdateVisibility.Public).OrderByDescending(u => u.CreatedAt).Select(u => u.Body).FirstOrDefault(),
                LastPublicAt = i.Updates.Where(u => u.Visibility == UpdateVisibility.Public).Max(u => (DateTimeOffset?)u.CreatedAt),
            })
            .AsSplitQuery().ToListAsync(ct);
        var ids = rows.SelectMany(r => r.Components).Distinct().ToList();
        var names = await db.Components.Where(c => ids.Contains(c.Id)).Select(c => new { c.Id, c.Name }).ToDictionaryAsync(c => c.Id, c => c.Name, ct);
        return [.. rows.Select(r => new Row(r.Id, r.Title, r.Severity, r.Impact, r.Status, r.StartedAt, r.CreatedAt, r.UpdatedAt, r.ResolvedAt, r.NextUpdateBy,
            [.. r.Components.Where(names.ContainsKey).Select(c => names[c]).Order(StringComparer.CurrentCultureIgnoreCase)], r.LastWords, r.LastPublicAt))];
    }

    static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
