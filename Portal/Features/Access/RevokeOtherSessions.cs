using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Ends all sessions of the person who asks, but the one that asks.</summary>
public sealed class RevokeOtherSessions(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, SignedInSessions sessions)
{
    public async Task Execute(Guid keep, Actor actor, CancellationToken ct)
    {
        var (now, owner) = (clock.GetUtcNow(), actor.OwnAccount());
        await using var db = await contexts.CreateDbContextAsync(ct);
        var rows = await db.Sessions.Where(s => s.PersonId == owner && s.Id != keep && s.RevokedAt == null).ToListAsync(ct);
        foreach (var row in rows) row.Revoke(now);
        await db.Commit(new AuditEntry(actor, "session.revoked", owner.ToString(), $"{actor.Name} ended all other sessions of their own", now), ct);
        sessions.Forget();
    }
}
