using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>What all changes to people share: one at a time where administrators are concerned, and no way around one's own rights.</summary>
static class Administration
{
    /// <summary>Held until the transaction ends: two browsers, or two nodes, cannot each remove "the other" administrator.</summary>
    public static async Task<IDbContextTransaction> LockAdministrators(this PortalDbContext db, CancellationToken ct)
    {
        var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtext('portal.administrators'))", ct);
        return transaction;
    }

    /// <summary>Of use inside the lock only.</summary>
    public static async Task<List<Person>> OtherAdministrators(this PortalDbContext db, PersonId than, CancellationToken ct) =>
        await db.People.AsNoTracking().Where(p => p.Role == Role.Admin && p.Id != than).ToListAsync(ct);

    public static async Task<Person> Find(this PortalDbContext db, PersonId id, CancellationToken ct) =>
        await db.People.SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("person");

    /// <summary>Whoever gives a role has its rights: a key with a single scope must not reach the others by way of a link.</summary>
    /// <exception cref="ForbiddenException">The actor has fewer rights than the role.</exception>
    public static void RequireReach(this Actor actor, Role role)
    {
        if (!actor.Grants.IsSupersetOf(Permissions.Of(role)))
            throw new ForbiddenException(role == Role.Admin
                ? $"{actor.Name} may not change administrators: that needs all scopes."
                : $"{actor.Name} may not change staff: that needs all scopes that staff have.");
    }

    /// <returns>The session's secret for the cookie; kept nowhere else.</returns>
    public static string BeginSession(this PortalDbContext db, Person person, Visitor visitor, DateTimeOffset now)
    {
        var secret = Secret.New();
        person.SignedIn(now);
        db.Sessions.Add(new Session(person.Id, Secret.HashOf(secret), visitor.From, visitor.UserAgent, now));
        return secret;
    }

    public static async Task EndSessions(this PortalDbContext db, PersonId person, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var session in await db.Sessions.Where(s => s.PersonId == person && s.RevokedAt == null).ToListAsync(ct)) session.Revoke(now);
    }

    /// <param name="person">Null for the links that make the first administrator.</param>
    public static async Task WithdrawLinks(this PortalDbContext db, PersonId? person, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var link in await db.OneTimeLinks.Where(l => l.PersonId == person && l.UsedAt == null).ToListAsync(ct)) link.Withdraw(now);
    }

    public static bool IsTaken(this DbUpdateException e) => e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };
}
