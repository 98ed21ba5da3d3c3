using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>What stands behind a one-time link, before anything is done with it.</summary>
public sealed class LinkTarget(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    /// <param name="Purpose">Null when the link is unknown, used, withdrawn or expired.</param>
    /// <param name="HasAdministrator">Whether the portal is set up already.</param>
    public sealed record State(LinkPurpose? Purpose, string? Name, string? Email, bool HasAdministrator);

    public async Task<State> Load(string? token, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        await using var db = await contexts.CreateDbContextAsync(ct);
        var hasAdministrator = await db.People.AnyAsync(p => p.Role == Role.Admin, ct);
        if (token is not { Length: > 0 and <= 100 }) return new(null, null, null, hasAdministrator);
        var hash = Secret.HashOf(token);
        var link = await db.OneTimeLinks.AsNoTracking().SingleOrDefaultAsync(l => l.SecretHash == hash, ct);
        if (link is null || !link.IsUsable(now)) return new(null, null, null, hasAdministrator);
        if (link.Purpose == LinkPurpose.FirstAdministrator) return new(hasAdministrator ? null : link.Purpose, null, null, hasAdministrator);
        var person = await db.People.AsNoTracking().SingleOrDefaultAsync(p => p.Id == link.PersonId && p.DeactivatedAt == null, ct);
        return person is null ? new(null, null, null, hasAdministrator) : new(link.Purpose, person.Name, person.Email, hasAdministrator);
    }
}
