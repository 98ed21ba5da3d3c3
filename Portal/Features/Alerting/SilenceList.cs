using Microsoft.EntityFrameworkCore;
using Portal.Domain.Alerting;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Alerting;

/// <summary>Silences that are not over, the next to end first, and some that are.</summary>
public sealed class SilenceList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    const int Most = 500, Past = 20;

    public sealed record View(IReadOnlyList<Silence> Open, IReadOnlyList<Silence> Over);

    public async Task<View> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var open = await db.Silences.AsNoTracking().Where(s => s.To > now).OrderBy(s => s.To).Take(Most).ToListAsync(ct);
        return new(open, await db.Silences.AsNoTracking().Where(s => s.To <= now).OrderByDescending(s => s.To).Take(Past).ToListAsync(ct));
    }

    /// <summary>The labels of an alert, for a silence of its like; none where there is no such alert.</summary>
    public async Task<IReadOnlyList<AlertLabel>> LoadLabels(string? alert, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        if (!Id.TryParse<AlertId>(alert, out var id)) return [];
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Alerts.AsNoTracking().Where(a => a.Id == id).Select(a => a.Labels).SingleOrDefaultAsync(ct) ?? [];
    }
}
