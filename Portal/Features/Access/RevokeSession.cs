using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Ends one session of the person who asks: signing out here, or there.</summary>
public sealed class RevokeSession(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, SignedInSessions sessions)
{
    /// <param name="session">The one to end.</param>
    /// <param name="current">Whether it is the one that asks: a sign-out.</param>
    /// <exception cref="NotFoundException">The person has no such session.</exception>
    public async Task Execute(Guid session, bool current, Actor actor, CancellationToken ct)
    {
        var (now, owner) = (clock.GetUtcNow(), actor.OwnAccount());
        await using var db = await contexts.CreateDbContextAsync(ct);
        var row = await db.Sessions.SingleOrDefaultAsync(s => s.Id == session && s.PersonId == owner, ct) ?? throw new NotFoundException("session");
        row.Revoke(now);
        await db.Commit(current
            ? new AuditEntry(actor, "person.signed-out", owner.ToString(), $"{actor.Name} signed out", now)
            : new AuditEntry(actor, "session.revoked", owner.ToString(), $"{actor.Name} ended a session of their own ({OwnSessions.DeviceOf(row.UserAgent)})", now), ct);
        sessions.Forget();
    }
}
