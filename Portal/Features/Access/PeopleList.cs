using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Everybody who can or could sign in, in the order in which they were added.</summary>
public sealed class PeopleList(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock)
{
    public enum Standing { Active, Invited, LinkExpired, Deactivated }

    /// <param name="LinkEndsAt">Until when an open one-time link works; null when there is none.</param>
    public sealed record Row(PersonId Id, string Name, string Email, Role Role, Standing Standing, DateTimeOffset CreatedAt, DateTimeOffset? LastSignInAt, DateTimeOffset? LinkEndsAt, uint Version);

    /// <param name="take">How many rows at most.</param>
    public async Task<IReadOnlyList<Row>> Load(PersonId? after, int take, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManagePeople);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var query = db.People.AsNoTracking();
        // A cursor on the uuid itself: UUIDv7 sorts by the time at which it was made.
        if (after is { } cursor) query = db.People.FromSql($"select *, xmin from people where id > {cursor.Value}").AsNoTracking();
        return await Describe(db, await query.OrderBy(p => p.Id).Take(take).ToListAsync(ct), ct);
    }

    /// <exception cref="NotFoundException">There is no such person.</exception>
    public async Task<Row> LoadOne(PersonId id, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManagePeople);
        await using var db = await contexts.CreateDbContextAsync(ct);
        var person = await db.People.AsNoTracking().SingleOrDefaultAsync(p => p.Id == id, ct) ?? throw new NotFoundException("person");
        return (await Describe(db, [person], ct))[0];
    }

    async Task<List<Row>> Describe(PortalDbContext db, List<Person> people, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var ids = people.Select(p => (PersonId?)p.Id).ToList();
        var links = await db.OneTimeLinks.AsNoTracking().Where(l => ids.Contains(l.PersonId) && l.UsedAt == null && l.ExpiresAt > now)
            .Select(l => new { l.PersonId, l.ExpiresAt }).ToListAsync(ct);
        return [.. people.Select(p =>
        {
            var open = links.FirstOrDefault(l => l.PersonId == p.Id)?.ExpiresAt;
            return new Row(p.Id, p.Name, p.Email, p.Role, StandingOf(p, open), p.CreatedAt, p.LastSignInAt, open, p.Version);
        })];
    }

    static Standing StandingOf(Person person, DateTimeOffset? link) => person switch
    {
        { IsActive: false } => Standing.Deactivated,
        { PasswordHash: not null } => Standing.Active,
        _ => link is null ? Standing.LinkExpired : Standing.Invited,
    };
}
