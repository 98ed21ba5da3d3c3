using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Uses a one-time link up: the first administrator is made, or somebody chooses a password. Of two at once, one succeeds.</summary>
public sealed class UseLink(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, Passwords passwords, SignedInSessions sessions)
{
    /// <param name="Name">For the first administrator only, as is the address.</param>
    public sealed record Request(string? Token, string? Name, string? Email, string? Password, string? Repeated);

    /// <returns>The secret of the session that has begun, for the cookie; null after a reset, which says nothing about what else a sign-in asks for.</returns>
    /// <exception cref="DomainException">The link cannot be used any more, or something typed is refused.</exception>
    /// <exception cref="TooBusyException">Too many at once.</exception>
    public async Task<string?> Execute(Request request, Visitor visitor, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var hash = Secret.HashOf(request.Token ?? "");
        await RequireUsable(hash, now, ct);
        var newcomer = new Lazy<Person>(() => new Person(request.Name ?? "", request.Email ?? "", Role.Admin, now));
        await using var db = await contexts.CreateDbContextAsync(ct);
        var purpose = await db.OneTimeLinks.Where(l => l.SecretHash == hash).Select(l => l.Purpose).SingleAsync(ct);
        if (purpose == LinkPurpose.FirstAdministrator) _ = newcomer.Value;
        var password = Person.ValidPassword(request.Password);
        if (password != request.Repeated) throw new DomainException("The two passwords differ.", "repeated");
        var passwordHash = await passwords.Hash(password, visitor, ct);

        await using var transaction = await db.LockAdministrators(ct);
        var link = await db.OneTimeLinks.SingleAsync(l => l.SecretHash == hash, ct);
        link.Use(now);
        if (purpose == LinkPurpose.FirstAdministrator) await db.WithdrawLinks(null, now, ct);
        var person = purpose == LinkPurpose.FirstAdministrator ? await First(db, newcomer.Value, ct) : await Known(db, link, ct);
        person.SetPasswordHash(passwordHash);
        await db.EndSessions(person.Id, now, ct);
        var session = purpose == LinkPurpose.PasswordReset ? null : db.BeginSession(person, visitor, now);
        await db.Commit(new AuditEntry(person.ToActor(visitor), purpose == LinkPurpose.FirstAdministrator ? "person.first-administrator" : "person.password-chosen", person.Id.ToString(), WordsFor(purpose, person), now), ct);
        await transaction.CommitAsync(ct);
        sessions.Forget();
        return session;
    }

    async Task RequireUsable(byte[] hash, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await contexts.CreateDbContextAsync(ct);
        var link = await db.OneTimeLinks.AsNoTracking().SingleOrDefaultAsync(l => l.SecretHash == hash, ct);
        if (link is null) throw new DomainException("This link is not known here. Ask an administrator for a new one.");
        link.Use(now);
    }

    static async Task<Person> First(PortalDbContext db, Person newcomer, CancellationToken ct)
    {
        if (await db.People.AnyAsync(p => p.Role == Role.Admin, ct)) throw new DomainException("The portal has its administrator already. Sign in, or ask them to add you.");
        if (await db.People.AnyAsync(p => p.Email == newcomer.Email, ct)) throw new DomainException($"{newcomer.Email} belongs to somebody else already.", "email");
        db.Add(newcomer);
        return newcomer;
    }

    static async Task<Person> Known(PortalDbContext db, OneTimeLink link, CancellationToken ct) =>
        await db.People.SingleOrDefaultAsync(p => p.Id == link.PersonId && p.DeactivatedAt == null, ct)
            ?? throw new DomainException("This account is deactivated. Ask an administrator.");

    static string WordsFor(LinkPurpose purpose, Person person) => purpose switch
    {
        LinkPurpose.FirstAdministrator => $"{person.Name} ({person.Email}) became the first administrator and signed in",
        LinkPurpose.Invitation => $"{person.Name} accepted the invitation, chose a password and signed in",
        _ => $"{person.Name} chose a new password after a reset",
    };
}
