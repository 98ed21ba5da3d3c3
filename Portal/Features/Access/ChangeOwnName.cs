using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

public sealed class ChangeOwnName(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, SignedInSessions sessions)
{
    public async Task Execute(string? name, Actor actor, CancellationToken ct)
    {
        var (now, owner) = (clock.GetUtcNow(), actor.OwnAccount());
        await using var db = await contexts.CreateDbContextAsync(ct);
        var person = await db.People.SingleOrDefaultAsync(p => p.Id == owner, ct) ?? throw new NotFoundException("person");
        var before = person.Name;
        person.Rename(name ?? "");
        await db.Commit(new AuditEntry(actor, "person.changed", owner.ToString(), $"{before} is now called {person.Name}", now), ct);
        sessions.Forget();
    }
}
