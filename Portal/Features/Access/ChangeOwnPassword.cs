using Microsoft.EntityFrameworkCore;
using Portal.Domain.Access;
using Portal.Domain.Audit;
using Portal.Domain.Shared;
using Portal.Infrastructure.Persistence;

namespace Portal.Features.Access;

/// <summary>Wants the current password, and ends every other session and every open link of the person.</summary>
public sealed class ChangeOwnPassword(IDbContextFactory<PortalDbContext> contexts, TimeProvider clock, Passwords passwords, SignInBrake brake, SignedInSessions sessions)
{
    public sealed record Request(string? Current, string? Password, string? Repeated, Guid Session);

    /// <exception cref="TooBusyException">Too many at once.</exception>
    public async Task Execute(Request request, Actor actor, Visitor visitor, CancellationToken ct)
    {
        var (now, owner) = (clock.GetUtcNow(), actor.OwnAccount());
        var password = Person.ValidPassword(request.Password);
        if (password != request.Repeated) throw new DomainException("The two passwords differ.", "repeated");
        await using var db = await contexts.CreateDbContextAsync(ct);
        var person = await db.People.SingleOrDefaultAsync(p => p.Id == owner, ct) ?? throw new NotFoundException("person");
        await RequireCurrent(person, request.Current, visitor, now, ct);
        person.SetPasswordHash(await passwords.Hash(password, visitor, ct));
        foreach (var row in await db.Sessions.Where(s => s.PersonId == owner && s.Id != request.Session && s.RevokedAt == null).ToListAsync(ct)) row.Revoke(now);
        foreach (var link in await db.OneTimeLinks.Where(l => l.PersonId == owner && l.UsedAt == null).ToListAsync(ct)) link.Withdraw(now);
        await db.Commit(new AuditEntry(actor, "person.password-changed", owner.ToString(), $"{person.Name} changed their password; other sessions were ended", now), ct);
        sessions.Forget();
    }

    // A stolen session must not become a way to guess the password.
    async Task RequireCurrent(Person person, string? current, Visitor visitor, DateTimeOffset now, CancellationToken ct)
    {
        var account = $"own:{person.Id}";
        if ((await brake.Begin(account, visitor, knownHere: true, now, ct)).WaitUntil is { } until)
            throw new DomainException($"Too many wrong passwords. Try again after {until.UtcDateTime:HH:mm:ss} UTC.", "current");
        try
        {
            if (await passwords.Verify(person.PasswordHash, current, visitor, ct) == Passwords.Answer.Wrong)
                throw new DomainException("This is not your current password.", "current");
        }
        catch (TooBusyException)
        {
            await brake.NotTried(account, visitor, ct);
            throw;
        }
        await brake.Succeeded(account, visitor, ct);
    }
}
