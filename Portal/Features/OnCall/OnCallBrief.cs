using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Who is on call at this moment, in as few queries as a line of the top bar is worth.</summary>
public sealed class OnCallBrief(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public sealed record Row(string Schedule, IReadOnlyList<string> People);

    public async Task<IReadOnlyList<Row>> Load(Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rosters = await Rosters.Load(db, new(now, now.AddSeconds(1)), null, ct);
        var onCall = rosters.Schedules.Select(s => (s.Name, People: rosters.OnCallAt(s.Id, now).ToList())).ToList();
        var ids = onCall.SelectMany(r => r.People).Distinct().ToList();
        var names = await db.People.AsNoTracking().Where(p => ids.Contains(p.Id)).ToDictionaryAsync(p => p.Id, p => p.Name, ct);
        return [.. onCall.Select(r => new Row(r.Name, [.. r.People.Select(p => names.GetValueOrDefault(p, "Somebody who is gone"))]))];
    }
}
