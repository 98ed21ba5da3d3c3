using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Hosting;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>A link to be handed to its person by whoever made it: shown once, then only its hash is known.</summary>
public sealed record PersonalLink(PersonId Person, string Url, DateTimeOffset ExpiresAt);

/// <summary>Adds somebody, who chooses the password through a one-time link.</summary>
public sealed class AddPerson(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, PortalAddress address)
{
    public sealed record Request(string? Name, string? Email, Role Role);

    public async Task<PersonalLink> Execute(Request request, Actor actor, CancellationToken ct)
    {
        actor.Require(Permission.ManagePeople);
        actor.RequireReach(request.Role);
        var now = clock.GetUtcNow();
        var person = new Person(request.Name ?? "", request.Email ?? "", request.Role, now);
        await using var db = await contexts.CreateDbContextAsync(ct);
        if (await db.People.AnyAsync(p => p.Email == person.Email, ct)) throw Taken(person);
        var (secret, link) = IssueLink.New(LinkPurpose.Invitation, person.Id, now);
        db.AddRange(person, link);
        try
        {
            await db.Commit(new AuditEntry(actor, "person.added", person.Id.ToString(), $"{person.Name} ({person.Email}) was added as {IssueLink.WordFor(person.Role)}", now), ct);
        }
        catch (DbUpdateException e) when (e.IsTaken()) { throw Taken(person); }
        return new PersonalLink(person.Id, IssueLink.UrlOf(address, secret), link.ExpiresAt);
    }

    static DomainException Taken(Person person) =>
        new($"{person.Email} is there already. If they cannot sign in, give them a new link instead.", "email");
}
