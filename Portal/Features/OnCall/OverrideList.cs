using Microsoft.EntityFrameworkCore;
using Portal.Domain.OnCall;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.OnCall;

/// <summary>Overrides of a schedule that are not over, oldest first.</summary>
public sealed class OverrideList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task<IReadOnlyList<OnCallOverride>> Load(OnCallScheduleId schedule, OnCallOverrideId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        // A schedule has at most a thousand of them.
        var all = (await db.Set<OnCallOverride>().AsNoTracking().Where(o => o.ScheduleId == schedule && o.To > now).OrderBy(o => o.Id).ToListAsync(ct)).ToList();
        return [.. all.SkipWhile(o => after is { } last && o.Id.Value.CompareTo(last.Value) <= 0).Take(take)];
    }

    public async Task<OnCallOverride> Find(OnCallOverrideId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ViewAlerts);
        await using var db = await contexts.CreateDbContextAsync(ct);
        return await db.Set<OnCallOverride>().AsNoTracking().SingleOrDefaultAsync(o => o.Id == id, ct) ?? throw new NotFoundException("override");
    }
}
