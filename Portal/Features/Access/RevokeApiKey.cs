using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Ends a key at once and for good.</summary>
public sealed class RevokeApiKey(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public async Task Execute(ApiKeyId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManageApiKeys);
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var key = await db.ApiKeys.SingleOrDefaultAsync(k => k.Id == id, ct) ?? throw new NotFoundException("API key");
        if (key.RevokedAt is not null) return;
        key.Revoke(now);
        await db.Commit(new AuditEntry(actor, "api-key.revoked", id.ToString(), $"{key.Name} ({key.Start})", now), ct);
    }
}
