using Microsoft.EntityFrameworkCore;
using Portal.Domain.Maintenance;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Maintenance;

/// <summary>Maintenance windows, part by part: what is over or all of it latest start first, what is still to come or under way the other way round.</summary>
public sealed class MaintenanceList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Over">True: those that ended or were cancelled; false: coming ones and those under way; null: all.</param>
    /// <param name="Text">Part of the title, looked for in the <see cref="SearchedTitles"/> that start last.</param>
    public sealed record Filter(bool? Over = null, string? Text = null);

    public sealed record Row(
        MaintenanceId Id, string Title, MaintenanceStatus Status, MaintenanceTimes Times, string Zone, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, IReadOnlyList<string> Components);

    public const int SearchedTitles = 10_000;

    /// <param name="after">The last row of the part before.</param>
    /// <param name="take">How many rows; one more than is shown tells whether there are more.</param>
    public async Task<IReadOnlyList<Row>> Load(Filter filter, MaintenanceId? after, int take, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var ahead = filter.Over == false;
        await using var db = await contexts.CreateDbContextAsync(ct);
        var query = db.MaintenanceWindows.AsNoTracking();
        if (after is { } last)
        {
            var at = await db.MaintenanceWindows.Where(w => w.Id == last).Select(w => (DateTimeOffset?)w.StartsAt).SingleOrDefaultAsync(ct)
                ?? throw new DomainException("The value of after must be the next of an earlier answer, unchanged.", "after");
            query = (ahead
                ? db.MaintenanceWindows.FromSql($"select w.*, w.xmin from maintenance_windows w where (w.starts_at, w.id) > ({at}, {last.Value})")
                : db.MaintenanceWindows.FromSql($"select w.*, w.xmin from maintenance_windows w where (w.starts_at, w.id) < ({at}, {last.Value})")).AsNoTracking();
        }
        if (filter.Over == false) query = query.Where(w => w.EndsAt > now && w.CompletedAt == null && w.CancelledAt == null);
        if (filter.Over == true) query = query.Where(w => w.EndsAt <= now || w.CompletedAt != null || w.CancelledAt != null);
        if (filter.Text is { Length: > 0 } text)
            query = query.OrderByDescending(w => w.StartsAt).ThenByDescending(w => w.Id).Take(SearchedTitles).Where(w => EF.Functions.ILike(w.Title, $"%{Escaped(text)}%", "\\"));
        var ordered = ahead ? query.OrderBy(w => w.StartsAt).ThenBy(w => w.Id) : query.OrderByDescending(w => w.StartsAt).ThenByDescending(w => w.Id);
        var windows = await ordered.Take(take).Include(w => w.Scope).AsSplitQuery().ToListAsync(ct);
        var ids = windows.SelectMany(w => w.Components).Distinct().ToList();
        var names = await db.Components.Where(c => ids.Contains(c.Id)).Select(c => new { c.Id, c.Name }).ToDictionaryAsync(c => c.Id, c => c.Name, ct);
        return [.. windows.Select(w => new Row(w.Id, w.Title, w.StatusAt(now), w.Times, w.Zone, w.CreatedAt, w.UpdatedAt,
            [.. w.Components.Where(names.ContainsKey).Select(c => names[c]).Order(StringComparer.CurrentCultureIgnoreCase)]))];
    }

    static string Escaped(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
